//! Whatever a debugger sends, it keeps its connection: random packets, whole, damaged and cut, through the protocol's library.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use proptest::prelude::*;

use super::packets::framed;
use super::*;
use replay::ledger::{Entry, FieldName};
use replay::timeline::Place;

/// A machine that stands still.
struct Still(Machine);

impl Guest for Still {
    fn look(&self) -> &Machine {
        &self.0
    }
    fn inspect(&mut self) -> &mut Machine {
        &mut self.0
    }
    fn change(&mut self) -> &mut Machine {
        &mut self.0
    }
    fn is_fixed(&self) -> Option<&'static str> {
        None
    }
    fn has_history(&self) -> bool {
        true
    }
    fn attach(&mut self) {}
    fn detach(&mut self) {}
    fn poll(&mut self) -> Result<(), CliError> {
        Ok(())
    }
    fn wait_for_more(&mut self) -> Result<(), CliError> {
        Ok(())
    }
    fn take_stop(&mut self) -> Option<End> {
        None
    }
    fn inbound(&mut self) -> Option<Inbound> {
        None
    }
    fn resume(&mut self, stops: Stops, _resume: &Resume) {
        stops.apply(&mut self.0);
    }
    fn advance(&mut self) -> Result<Advance, CliError> {
        Ok(Advance::Going)
    }
    fn recent(&mut self, _: usize, _: Option<usize>, _: Say<'_>) -> Result<Vec<Entry>, CliError> {
        Ok(Vec::new())
    }
    fn last_writer(&mut self, _: usize, _: &FieldName, _: Say<'_>) -> Result<Writer, CliError> {
        Ok(Err("nothing\n".into()))
    }
    fn violations(&self) -> Option<Vec<String>> {
        None
    }
    fn back_to(&mut self, of: &str, _: usize, _: Say<'_>) -> Result<String, CliError> {
        Ok(of.into())
    }
    fn position(&self) -> String {
        String::new()
    }
    fn checkpoints(&self) -> String {
        String::new()
    }
    fn go_to(&mut self, _: Option<u32>, _: Place, _: Say<'_>) -> Result<String, CliError> {
        Ok(String::new())
    }
    fn save(&mut self, _: &Path) -> String {
        String::new()
    }
    fn inject(&mut self, name: &str, args: &[u64]) -> Result<(), String> {
        self.0.inject(name, args).map_err(|e| e.to_string())
    }
    fn go_live(&mut self) -> String {
        String::new()
    }
}

fn still() -> Still {
    let board = emu_core::board::Config { harts: 3, ram_size: 16 << 20, ..Default::default() };
    let kernel = Some(File { name: "spin", bytes: include_bytes!("../../../roms/test/spin.elf") });
    let images = Images { bios: Bios::None, kernel, ..Images::default() };
    let config = MachineConfig { board, engine: EngineKind::Step, quantum: 1000 };
    Still(Machine::new(config, Vec::new(), &images, None).unwrap())
}

/// Sends bytes; a guest that was let go stops at once. Gives what came back, and whether the debugger is still there.
fn converse(bytes: &[u8]) -> (Vec<u8>, Result<bool, String>) {
    let mut guest = still();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut target = Debugged::new(&mut guest);
    let mut state = GdbStub::new(Wire::new(Stream::Unix(ours))).run_state_machine(&mut target).ok().unwrap();
    let mut packets = Packets::new(3);
    // Answers are read as they come: the socket holds only so much.
    let reader = std::thread::spawn(move || {
        let mut back = Vec::new();
        let _ = theirs.read_to_end(&mut back);
        back
    });
    let mut stays = Ok(true);
    for byte in bytes {
        match feed(state, &mut target, &mut packets, &[*byte]) {
            Ok(Stub::Running(r)) => state = r.report_stop(&mut target, trapped(0)).ok().unwrap(),
            Ok(s) => state = s,
            Err(e) => {
                stays = Err(e);
                return (reader.join().unwrap(), stays);
            }
        }
        if matches!(state, Stub::Disconnected(_)) {
            stays = Ok(false);
        }
    }
    drop(state);
    (reader.join().unwrap(), stays)
}

const PACKETS: &[&str] = &[
    "?",
    "g",
    "c",
    "s",
    "c80000000",
    "bs",
    "bc",
    "Hg1",
    "Hc-1",
    "Hg-1",
    "Hg9",
    "Hgp1.2",
    "T2",
    "T-1",
    "Tp1",
    "m80000000,10",
    "m80000000,0",
    "mfffffffffffffff8,ffffffffffffffff",
    "m80000000,ffff",
    "M80000000,2:beef",
    "M80000000,4:00",
    "X80000000,2:ab",
    "X80000000,1:}",
    "p20",
    "p1041",
    "P1=0102030405060708",
    "P1=",
    "G00",
    "Z0,80000000,2",
    "z0,80000000,2",
    "Z2,80000000,8",
    "z4,80000000,8",
    "Z2,fffffffffffffff0,100",
    "Z9,0,0",
    "vCont?",
    "vCont",
    "vCont;c",
    "vCont;s",
    "vCont;s:p1.2;c",
    "vCont;r80000000,80000010:2",
    "vCont;t",
    "vCont;C05:1;S0b:2",
    "vCont;s:p1.-1",
    "vCont;s:9;c",
    "qSupported",
    "qSupported:multiprocess+;;x",
    "qSupported:multiprocess-",
    "qXfer:features:read:target.xml:0,ffff",
    "qXfer:features:read:target.xml:ffffffffffffffff,10",
    "qXfer:features:read:a:b",
    "qRcmd,",
    "qRcmd,68656c70",
    "qRcmd,7870203078666666666666666666666666666666662034303936",
    "qRcmd,6",
    "qThreadExtraInfo,p1.3",
    "qThreadExtraInfo,-1",
    "qThreadExtraInfo",
    "qAttached",
    "qAttached:0",
    "qfThreadInfo",
    "qsThreadInfo",
    "qC",
    "QStartNoAckMode",
    "QNonStop:1",
    "!",
    "R00",
    "vMustReplyEmpty",
    "vFile:setfs:0",
    "Qqemu.PhyMemMode:1",
    "qqemu.PhyMemMode",
    "",
];

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let packet = || prop::sample::select(PACKETS).prop_map(|s| s.as_bytes().to_vec());
    let spoilt = (packet(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut p, i, b)| {
        if !p.is_empty() {
            let i = i.index(p.len());
            p[i] = b;
        }
        p
    });
    let cut = (packet(), any::<prop::sample::Index>()).prop_map(|(mut p, i)| {
        p.truncate(i.index(p.len() + 1));
        p
    });
    let large = (0usize..9000).prop_map(|n| [b"qRcmd,".to_vec(), vec![b'2'; n]].concat());
    let framed = prop_oneof![6 => packet(), 4 => spoilt, 2 => cut, 1 => large].prop_map(|body| {
        let sum = body.iter().fold(0u8, |s, b| s.wrapping_add(*b));
        [b"$".as_slice(), &body, format!("#{sum:02x}").as_bytes()].concat()
    });
    let noise = prop::collection::vec(prop_oneof![Just(3u8), Just(b'+'), Just(b'-'), Just(b'#'), any::<u8>()], 0..4);
    prop_oneof![8 => framed, 1 => noise]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_packet_ends_the_connection(pieces in prop::collection::vec(piece(), 1..40)) {
        let mut bytes = pieces.concat();
        // What a noise may have begun ends; then the debugger asks something.
        bytes.extend(b"#00#00#00$qAttached#8f");
        let (back, stays) = converse(&bytes);
        prop_assert!(stays.is_ok(), "{:?}", stays);
        if stays == Ok(true) {
            prop_assert!(back.ends_with(b"$1#31"), "{}", String::from_utf8_lossy(&back[back.len().saturating_sub(60)..]));
        }
    }
}

/// The bodies of the packets that came back.
fn bodies(back: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(back).into_owned();
    text.split('$').skip(1).map(|p| p.split('#').next().unwrap_or_default().to_owned()).collect()
}

fn asked(body: &str) -> String {
    let (back, stays) = converse(framed(body).as_bytes());
    assert_eq!(stays, Ok(true), "{body}");
    bodies(&back).pop().unwrap()
}

#[test]
fn what_cannot_be_done_is_refused_and_what_is_not_known_is_answered_with_nothing() {
    for body in [
        "vCont",
        "vCont;",
        "vCont;t",
        "vCont;x",
        "vCont;s:9;c",
        "c80000000",
        "s80000000",
        "Hg-1",
        "Hg9",
        "Hx1",
        "T9",
        "P1=",
        "P1=00",
        "G00",
        "m80000000",
        "M80000000,4:00",
        "X80000000,4:a",
        "X80000000,1:}",
        "Z0,80000000",
        "Z0,80000000,2;X1,00",
        "qRcmd,6",
        "qThreadExtraInfo,9",
        "qXfer:features:read:target.xml:0",
        "D;",
        "vKill;0",
        "mfffffffffffffffff,1",
    ] {
        assert_eq!(asked(body), "E16", "{body}");
    }
    for body in ["!", "R00", "Z9,0,0", "QNonStop:1", "vMustReplyEmpty", "x80000000,4", "bx", "gg", "vContinue", ""] {
        assert_eq!(asked(body), "", "{body}");
    }
}

#[test]
fn a_damaged_packet_is_asked_for_again_and_a_large_one_is_refused() {
    assert_eq!(converse(b"$qAttached#00$qAttached#8f").0, b"-+$1#31");
    assert_eq!(converse(b"$QStartNoAckMode#b0+$qAttached#00$qAttached#8f").0, b"+$OK#9a$E16#ac$1#31");
    let large = framed(&format!("qRcmd,{}", "20".repeat(4096)));
    assert_eq!(converse(&[large.as_bytes(), b"$qAttached#8f"].concat()).0, b"+$E16#ac+$1#31");
}

#[test]
fn a_long_read_is_answered_with_its_first_part_only() {
    assert_eq!(asked("m80000000,8"), asked("m80000000,ffff")[..16]);
    // What would lie behind the end of RAM is not asked for.
    let (back, _) = converse([framed("Qqemu.PhyMemMode:1"), framed("m80fff800,1000")].concat().as_bytes());
    assert!(bodies(&back)[1].starts_with('0'), "{:?}", bodies(&back)[1]);
}

#[test]
fn a_step_without_a_thread_is_one_of_each_and_the_first_action_that_fits_counts() {
    use accept::{Accepted, accept};
    let told = |body: &str| match accept(body.as_bytes(), 3) {
        Accepted::Pass(b) => String::from_utf8(b).unwrap(),
        other => format!("{other:?}"),
    };
    assert_eq!(told("vCont;s"), "vCont;s:1;s:2;s:3");
    assert_eq!(told("vCont;s:p1.2;c"), "vCont;s:2;c");
    assert_eq!(told("vCont;c:2;s:p1.-1;c:1"), "vCont;c:2;s:1;s:3");
    assert_eq!(told("vCont;c;s:1"), "vCont;c");
    assert_eq!(told("vCont;r80000000,80000010:p1.1;C05"), "vCont;r80000000,80000010:1;C05");
    assert_eq!(told("vCont;s:4"), "Refused");
    assert_eq!((told("Hc-1"), told("Hcp1.2"), told("c")), ("Hc0".into(), "Hcp1.2".into(), "vCont;c".into()));
}

#[test]
fn a_connection_that_is_given_up_is_closed() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    // As the listening thread holds it.
    let _reader = ours.try_clone().unwrap();
    drop(Wire::new(Stream::Unix(ours)));
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
    assert!(Write::write_all(&mut theirs, b"+").is_err());
}

#[test]
fn a_breakpoint_that_is_set_twice_is_taken_out_at_once() {
    let send = [
        "Z0,80000000,2",
        "Z0,80000000,4",
        "Z2,80000010,8",
        "Z2,80000010,8",
        "z0,80000000,2",
        "z0,80000000,2",
        "z2,80000010,8",
        "z2,80000010,8",
    ];
    let (back, _) = converse(send.map(framed).concat().as_bytes());
    assert_eq!(bodies(&back), ["OK", "OK", "OK", "OK", "OK", "E16", "OK", "E16"]);
}
