//! `countersign`: release control on a command line.
fn main() {
    let dir = std::env::args().nth(2).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let out = runtime.block_on(countersign_cli::demo::walk(std::path::Path::new(&dir), &mut |s| println!("{s}")));
    match out {
        Ok(o) => println!("live {} signatures {} head {:?}", o.live, o.signatures, o.ledger.state().head()),
        Err(e) => println!("ERR {e:?}"),
    }
}
