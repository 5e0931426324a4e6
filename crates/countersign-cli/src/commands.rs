//! One module for each group of commands: what its flags mean, which use case it calls, what it answers.

pub(crate) mod authorization;
pub(crate) mod backup;
pub(crate) mod carry;
pub(crate) mod connector;
pub(crate) mod demo;
pub(crate) mod device;
pub(crate) mod due;
pub(crate) mod evidence;
pub(crate) mod export;
pub(crate) mod freeze;
pub(crate) mod hold;
pub(crate) mod init;
pub(crate) mod meeting;
pub(crate) mod person;
pub(crate) mod policy;
pub(crate) mod product;
pub(crate) mod quorum;
pub(crate) mod record;
pub(crate) mod release;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod roles;
pub(crate) mod rollout;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod verify;
pub(crate) mod waiver;

use countersign_app::error::{Error, ErrorKind};

use crate::arguments::{Cli, Command};
use crate::output::{Answer, Io};
use crate::session::Session;

/// Runs a command.
pub(crate) fn run(cli: Cli, io: &mut Io<'_>) -> Result<Answer, Error> {
    let mut session = Session { globals: cli.globals, io };
    let session = &mut session;
    match cli.command {
        Command::Init(command) => command.run(session),
        Command::Person(command) => command.run(session),
        Command::Device(command) => command.run(session),
        Command::Product(command) => command.run(session),
        Command::Target(command) => command.run(session),
        Command::Policy(command) => command.run(session),
        Command::Authorization(command) => command.run(session),
        Command::Freeze(command) => command.run(session),
        Command::Connector(command) => command.run(session),
        Command::Record(command) => command.run(session),
        Command::Release(command) => command.run(session),
        Command::Evidence(command) => command.run(session),
        Command::Waiver(command) => command.run(session),
        Command::Stage(command) => command.run(session),
        Command::Request(command) => command.run(session),
        Command::Sign(command) => command.run(session),
        Command::Carry(command) => command.run(session),
        Command::Hold(command) => command.run(session),
        Command::Meeting(command) => command.run(session),
        Command::Dispatch(command) => command.run(session),
        Command::Cancel(command) => command.run(session),
        Command::Rollback(command) => command.run(session),
        Command::Worker(command) => command.run(session),
        Command::Quorum(command) => command.run(session),
        Command::Due(command) => command.run(session),
        Command::Status(command) => command.run(session),
        Command::Verify(command) => command.run(session),
        Command::Export(command) => command.run(session),
        Command::Report(command) => command.run(session),
        Command::Backup(command) => command.run(session),
        Command::Restore(command) => command.run(session),
        Command::Rebuild(command) => command.run(session),
        Command::Demo(command) => command.run(session),
    }
}

/// Waits for what asks other systems.
pub(crate) fn wait<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::new(ErrorKind::Cannot, "runtime", error.to_string()))?;
    runtime.block_on(future)
}
