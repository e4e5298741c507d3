//! `dead-mount PLACE HOW COMMAND…` runs a command beside a file system that doesn't answer, like that of a
//! dead server.
//!
//! It mounts a FUSE file system at PLACE, in a namespace that the caller provides. Looking up a name there
//! blocks. HOW says what becomes of the request (`request_wait_answer` in the kernel's fs/fuse/dev.c):
//!
//! - `unread`: nobody reads it, and KILL ends a waiting process, as on NFS;
//! - `unanswered`: it is read, and only an answer ends the wait.
//!
//! When the command has ended, this program exits with its status as a shell would, and all waiting
//! processes get an error.

use std::env;
use std::ffi::{CString, OsString};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use rustix::mount::{MountFlags, mount};
use rustix::process::{getegid, geteuid};

/// linux/fuse.h.
const INIT: u32 = 26;

/// Larger than any request.
const LONGEST: usize = 256 * 1024;

fn main() -> Result<ExitCode> {
    let mut words = env::args_os().skip(1);
    let (Some(place), Some(how), Some(program)) = (words.next(), words.next(), words.next()) else {
        bail!("usage: dead-mount PLACE unread|unanswered COMMAND...");
    };
    let mut device = mount_at(&place)?;
    begin(&mut device)?;
    match how.to_str() {
        // Held open until the command has ended; the command doesn't inherit it.
        Some("unread") => {}
        Some("unanswered") => {
            let mut requests = device.try_clone()?;
            thread::spawn(move || {
                let mut request = vec![0; LONGEST];
                while requests.read(&mut request).is_ok() {}
            });
        }
        _ => bail!("{how:?} is neither unread nor unanswered"),
    }
    let status = Command::new(&program).args(words).status().with_context(|| format!("{program:?}"))?;
    let status = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(u8::try_from(status).unwrap_or(1).into())
}

fn mount_at(place: &OsString) -> Result<File> {
    let device = OpenOptions::new().read(true).write(true).open("/dev/fuse").context("/dev/fuse")?;
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let options = format!("fd={},rootmode=40000,user_id={user},group_id={group}", device.as_raw_fd());
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("dead", place, "fuse.dead", flags, Some(CString::new(options)?.as_c_str()))
        .with_context(|| format!("can't mount at {place:?}"))?;
    Ok(device)
}

/// Answers the first request; the kernel sends no other before that.
fn begin(device: &mut File) -> Result<()> {
    let mut request = vec![0; LONGEST];
    let length = device.read(&mut request).context("no request")?;
    ensure!(length >= 40 && request[4..8] == INIT.to_ne_bytes(), "the first request is another one");
    let mut body = Vec::new();
    // Version 7.31, the most to read ahead, no flags.
    for number in [7_u32, 31, 65_536, 0] {
        body.extend(number.to_ne_bytes());
    }
    // The most requests in the background, and the threshold of congestion.
    for number in [12_u16, 9] {
        body.extend(number.to_ne_bytes());
    }
    // The most in one write, and the granularity of times.
    for number in [65_536_u32, 1] {
        body.extend(number.to_ne_bytes());
    }
    body.resize(64, 0);
    let mut answer = Vec::from(80_u32.to_ne_bytes());
    // No error, for this request.
    answer.extend(0_u32.to_ne_bytes());
    answer.extend(&request[8..16]);
    answer.extend(body);
    device.write_all(&answer).context("the first answer")?;
    Ok(())
}
