//! One file per command.

mod account;
mod api;
mod backups;
mod cluster;
mod device;
mod down;
mod holdings;
mod image;
mod join_command;
mod kubectl;
mod logs;
mod node;
mod objects;
mod session;
mod status;
mod supervise;
mod token;
mod up;

use std::process::ExitCode;

use local::{Layout, Record};

use crate::args::{Arguments, Command, Management, Target};
use crate::{Error, nouns};

/// Runs one command.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Error> {
    match arguments.command {
        Command::Up(args) => up::run(&args)?,
        Command::Down(args) => down::run(&args)?,
        Command::Status(args) => status::run(&args)?,
        Command::Logs(args) => logs::run(&args)?,
        Command::Image(args) => image::run(&args.command)?,
        Command::JoinCommand(args) => join_command::run(&args)?,
        Command::Token(args) => token::run(&args.command)?,
        Command::Node(args) => node::run(&args.command)?,
        Command::Login(args) => session::login(&args)?,
        Command::Logout(args) => session::logout(&args)?,
        Command::Cluster(args) => cluster::run(&args.command)?,
        Command::Tenant(args) => objects::run(&nouns::TENANTS, &args.command)?,
        Command::Project(args) => objects::run(&nouns::PROJECTS, &args.command)?,
        Command::Role(args) => objects::run(&nouns::ROLES, &args.command)?,
        Command::Grant(args) => objects::run(&nouns::GRANTS, &args.command)?,
        Command::User(args) => objects::run(&nouns::USERS, &args.command)?,
        Command::Provider(args) => objects::run(&nouns::PROVIDERS, &args.command)?,
        Command::Template(args) => objects::run(&nouns::TEMPLATES, &args.command)?,
        Command::Import(args) => objects::run(&nouns::IMPORTS, &args.command)?,
        Command::Key(args) => account::key(&args.command)?,
        Command::Password(args) => account::password(&args)?,
        Command::Whoami(args) => account::whoami(&args)?,
        Command::Access(args) => account::access(&args)?,
        Command::Members(args) => holdings::members(&args)?,
        Command::Metering(args) => holdings::metering(&args)?,
        Command::Audit(args) => account::audit(&args)?,
        Command::Api(args) => api::run(&args)?,
        Command::Context(args) => account::context(&args.command)?,
        Command::Completion(args) => {
            clap_complete::generate(args.shell, &mut crate::command(), "flotilla", &mut std::io::stdout());
        }
        Command::Credential(args) => session::credential(&args)?,
        Command::Kubectl(args) => return kubectl::run(args),
        Command::Supervise(target) => supervise::run(&target)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The paths of a cluster.
fn layout(target: &Target) -> Result<Layout, Error> {
    let directory = target.dir.clone().unwrap_or_else(|| Layout::default_data(&target.name));
    let directory = std::path::absolute(&directory)
        .map_err(Error::system(format!("resolve the directory {}", directory.display())))?;
    Ok(Layout::new(target.name.clone(), directory))
}

/// The record of a cluster that must exist.
fn record(layout: &Layout) -> Result<Record, Error> {
    Record::read(layout)?.ok_or_else(|| Error::NoCluster {
        name: layout.name().to_string(),
        directory: layout.data().to_owned(),
    })
}

/// A client for the management cluster.
async fn management(args: &Management) -> Result<kube::Client, Error> {
    let kubeconfig = if let Some(file) = &args.kubeconfig {
        file.clone()
    } else {
        let layout = layout(&args.target)?;
        record(&layout)?;
        layout.admin_kubeconfig()
    };
    Ok(local::client(&kubeconfig).await?)
}

/// A runtime for commands that talk to the API server.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Runtime::new().map_err(Error::system("start the asynchronous runtime"))
}
