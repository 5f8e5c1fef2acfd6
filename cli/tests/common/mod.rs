//! What the command-line tests share: running the binary, with pipes or on a pseudo-terminal.
#![allow(dead_code, missing_docs)]

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A built guest program of `roms/test`.
pub fn rom(name: &str) -> String {
    format!("{}/../roms/test/{name}.elf", env!("CARGO_MANIFEST_DIR"))
}

/// The command with arguments, standard input empty.
pub fn trapeze(args: &[&str]) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_trapeze"));
    c.args(args).stdin(Stdio::null());
    c
}

/// Runs it to the end.
pub fn run(args: &[&str]) -> Output {
    trapeze(args).output().expect("the binary starts")
}

/// Runs a test program in M-mode with more options.
pub fn run_rom(name: &str, more: &[&str]) -> Output {
    let file = rom(name);
    let mut args = vec!["run", "-bios", "none", "-kernel", file.as_str()];
    args.extend(more);
    run(&args)
}

pub fn code(o: &Output) -> i32 {
    o.status.code().expect("ended by itself")
}

pub fn stdout(o: &Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned()
}

pub fn stderr(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}

/// A directory of one test's own, removed at the end.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new(name: &str) -> Dir {
        let d = std::env::temp_dir().join(format!("trapeze-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&d).expect("a temporary directory");
        Dir(d)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        let f = self.0.join(name);
        std::fs::write(&f, bytes).expect("a temporary file");
        f.to_str().expect("a plain path").to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A child on a pseudo-terminal, driven as a user does: type, and wait for what appears.
pub struct Terminal {
    master: File,
    /// Held open so that the terminal's settings outlive the child.
    pub slave: File,
    pub child: Child,
    seen: String,
}

impl Terminal {
    pub fn start(args: &[&str]) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("its other end");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let slave = File::options().read(true).write(true).open(name.to_str().expect("a path")).expect("its other end");
        let end = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let child = trapeze(args).stdin(end()).stdout(end()).stderr(end()).spawn().expect("the binary starts");
        Terminal { master: File::from(master), slave, child, seen: String::new() }
    }

    /// Reads until the text appears; everything up to and with it is taken.
    pub fn expect(&mut self, text: &str) -> String {
        let mut buf = [0; 4096];
        loop {
            if let Some(at) = self.seen.find(text) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let n = self.master.read(&mut buf).expect("the terminal");
            assert!(n > 0, "the terminal closed; waiting for {text:?}, have {:?}", self.seen);
            self.seen += &String::from_utf8_lossy(&buf[..n]);
        }
    }

    pub fn type_(&mut self, bytes: &[u8]) {
        self.master.write_all(bytes).expect("the terminal");
    }

    /// Whether the terminal echoes and cooks lines, as a shell expects to find it.
    pub fn is_cooked(&self) -> bool {
        use rustix::termios::LocalModes;
        let t = rustix::termios::tcgetattr(&self.slave).expect("terminal settings");
        t.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// As [`Terminal::wait`], for a child that may print more than a terminal holds.
    pub fn wait_reading(&mut self) -> i32 {
        let mut master = self.master.try_clone().expect("a descriptor");
        let reader = std::thread::spawn(move || {
            let mut buf = [0; 4096];
            // Ends with the byte that is written once the child is gone.
            while master.read(&mut buf).is_ok_and(|n| !buf[..n].contains(&0)) {}
        });
        let code = self.wait();
        self.slave.write_all(&[0]).expect("the terminal");
        reader.join().expect("the reader");
        code
    }

    pub fn wait(&mut self) -> i32 {
        self.child.wait().expect("the child").code().expect("ended by itself")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
