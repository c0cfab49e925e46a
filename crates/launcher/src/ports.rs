//! Free ports on loopback, for the servers that tests start.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::Error;

/// Below what the system gives to connections and to whoever binds port 0 (from 32768 on), and below node ports.
pub(crate) const PORTS: RangeInclusive<u16> = 26_000..=29_899;

/// Free ports on 127.0.0.1, all different. All tests of a user on this machine take them in turn, so a port is given
/// out again only after some thousands of others: whoever starts a server a moment later still finds its port free.
pub fn free_ports<const N: usize>() -> Result<[u16; N], Error> {
    take(&place())
}

/// The file that says which port was given out last.
fn place() -> PathBuf {
    std::env::temp_dir().join(format!("flotilla-ports-{}", nix::unistd::Uid::effective()))
}

fn take<const N: usize>(place: &Path) -> Result<[u16; N], Error> {
    let failed = |action| Error::file(action, place);
    let mut options = OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(place).map_err(failed("open"))?;
    // Until the file is closed.
    file.lock().map_err(failed("lock"))?;
    let mut last = read(&mut file).map_err(failed("read"))?;
    let mut ports = [0; N];
    for port in &mut ports {
        last = next_free(last)?;
        *port = last;
    }
    write(&mut file, last).map_err(failed("write"))?;
    Ok(ports)
}

/// The first port after `last`, in a circle, that nobody listens at.
fn next_free(last: u16) -> Result<u16, Error> {
    let circle = PORTS.filter(|port| *port > last).chain(PORTS);
    let mut refusal = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    for port in circle {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => refusal = error,
        }
    }
    Err(Error::FindPort { source: refusal })
}

/// What a file that says nothing stands for: nothing was given out.
fn read(file: &mut File) -> std::io::Result<u16> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text.trim().parse().unwrap_or_default())
}

fn write(file: &mut File, last: u16) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(last.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::{PORTS, next_free, take};

    #[test]
    fn ports_are_given_out_in_turn_and_from_the_start_after_the_last() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("ports");
        std::fs::write(&place, "29_898 and nonsense").unwrap();
        let [first, second] = take(&place).unwrap();
        let [third]: [u16; 1] = take(&place).unwrap();
        assert!(*PORTS.start() <= first && first < second && second < third, "{first} {second} {third}");
        std::fs::write(&place, PORTS.end().to_string()).unwrap();
        let [after]: [u16; 1] = take(&place).unwrap();
        assert!(after < *PORTS.end(), "{after}");
    }

    #[test]
    fn a_port_that_somebody_listens_at_is_passed_over() {
        let listener =
            PORTS.rev().find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()).unwrap();
        let taken = listener.local_addr().unwrap().port();
        assert_ne!(next_free(taken - 1).unwrap(), taken);
    }
}
