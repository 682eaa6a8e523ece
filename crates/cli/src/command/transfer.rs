//! Files and folders: `server --receive`, `server --offer`, `client --send`, `client --fetch`.

pub(super) mod client;
pub(super) mod server;
mod teller;

use std::path::Path;

use aperto_app::transfer::manifest::BadManifest;
use aperto_app::transfer::{Failure, Party, Patience, Receiver, Sender};
use aperto_explain::program::Fault;
use aperto_explain::program::saying::Saying;
use aperto_explain::program::transfer::{Side, TransferFault, TransferSaying};

use crate::arguments::transfer::{Receive, Transfer};
use crate::live::carry::Worker;
use crate::live::disk::FolderDisk;
use crate::live::shelf::{CannotSend, Shelf};
use crate::record::trouble;

pub(crate) use client::run as client;
pub(crate) use server::run as server;

/// What a transfer needs of this machine, looked at before anything else is done.
enum Stock {
    Files(Shelf),
    Folder(Receive),
}

impl Stock {
    /// Reads what is to be sent, or looks whether the folder is there.
    fn open(transfer: &Transfer, seen: impl FnMut(u64)) -> Result<Self, Fault> {
        match transfer {
            Transfer::Send { path } => {
                Shelf::open(path, seen).map(Self::Files).map_err(|error| cannot_send(path, error))
            }
            Transfer::Receive(receive) => {
                folder(receive)?;
                Ok(Self::Folder(receive.clone()))
            }
        }
    }

    const fn side(&self) -> Side {
        match self {
            Self::Files(_) => Side::Sends,
            Self::Folder(_) => Side::Receives,
        }
    }

    /// Both for one connection.
    fn party(&self) -> Result<(Box<dyn Party>, Worker), Fault> {
        let patience = Patience::default();
        Ok(match self {
            Self::Files(shelf) => {
                let party = Box::new(Sender::new(shelf.manifest().clone(), patience));
                let again = shelf.again().map_err(|error| Fault::System { what: error.to_string() })?;
                (party, Worker::Shelf(again))
            }
            Self::Folder(receive) => {
                let worker =
                    Worker::Disk { disk: folder(receive)?, replace: receive.replace, floor: receive.floor };
                (Box::new(Receiver::new(patience)), worker)
            }
        })
    }

    /// What stays here, as something to say.
    fn left_out(&self) -> Option<Saying> {
        let Self::Files(shelf) = self else { return None };
        let left_out = shelf.left_out();
        let first = aperto_explain::wording::tame(left_out.first.as_ref()?);
        let (hidden, links) = (left_out.hidden, left_out.links);
        Some(Saying::Transfer(TransferSaying::LeftOut { hidden, links, first }))
    }
}

fn folder(receive: &Receive) -> Result<FolderDisk, Fault> {
    FolderDisk::open(Path::new(&receive.folder)).map_err(|error| {
        let (folder, why) = (receive.folder.clone(), trouble(&error));
        Fault::Transfer(TransferFault::Folder { folder, why })
    })
}

fn cannot_send(path: &str, error: CannotSend) -> Fault {
    match error {
        CannotSend::Read(file, error) => {
            Fault::CannotRead { file: aperto_explain::wording::tame(&file), why: trouble(&error) }
        }
        CannotSend::Name(path, why) => {
            let path = aperto_explain::wording::tame(&path);
            Fault::Transfer(TransferFault::Name { path, why })
        }
        CannotSend::Manifest(why) => unsendable(path, why),
    }
}

fn unsendable(path: &str, why: BadManifest) -> Fault {
    Fault::Transfer(TransferFault::Unsendable { path: aperto_explain::wording::tame(path), why })
}

/// A failure as a fault.
const fn failed(side: Side, remote: std::net::SocketAddr, why: Failure) -> Fault {
    Fault::Transfer(TransferFault::Failed { side, remote, why })
}
