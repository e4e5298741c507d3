//! The smallest complete use of a cluster: any number of naps of a fifth of a second, on Slurm.
//! `cargo run --example naps -- 1000 FOLDER`, where FOLDER is new and shared by all nodes.
//!
//! A nap is finished once a file with its number exists; a real caller has a journal instead.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use procpool_cluster::{
    Act, Array, Engine, EngineThread, Head, Holder, Outcomes, Processors, Requeue, Round, Settings, Slurm,
    Task, Unreadable, ranges,
};

/// What an element does: it takes one piece after another that no other element has taken, or that was its own before a
/// restart. `$1` is the folder, `$2` the round's number.
const ELEMENT: &str = r#"
piece=0
while [ -e "$1/$2-$piece" ]; do
    taken=$1/$2-$piece-taken
    if (set -C; echo "$SLURM_ARRAY_TASK_ID" > "$taken") 2>&- || [ "$(cat "$taken")" = "$SLURM_ARRAY_TASK_ID" ]; then
        for nap in $(cat "$1/$2-$piece"); do
            [ -e "$1/done-$nap" ] || { echo "$nap" >> "$1/starts"; sleep 0.2; : > "$1/done-$nap"; }
        done
    fi
    piece=$((piece + 1))
done"#;

/// The records of the naps.
struct Naps<'a> {
    folder: &'a Path,
    round: u32,
}

impl Outcomes for Naps<'_> {
    fn is_finished(&self, nap: u64) -> bool {
        self.folder.join(format!("done-{nap}")).exists()
    }

    fn holder(&self, piece: usize) -> Result<Holder, Unreadable> {
        match fs::read_to_string(self.folder.join(format!("{}-{piece}-taken", self.round))) {
            Ok(text) => Ok(text.trim().parse().map_or(Holder::Somebody, Holder::Element)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Holder::Nobody),
            Err(_) => Err(Unreadable),
        }
    }

    fn was_begun(&self, _: u64, _: u32) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(naps), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("how many naps, and in which folder?".into());
    };
    let naps: u64 = naps.to_string_lossy().parse()?;
    fs::create_dir_all(&folder)?;
    let folder = fs::canonicalize(folder)?;

    let engine = Slurm::new(arguments);
    engine.check()?;
    let mut settings = Settings::new(format!("naps-{}", std::process::id()), engine.name());
    settings.sizing.limit = Some(1);
    let mut head = Head::new(settings, ranges(1..=naps));
    let main = thread::current();
    let engine_thread = EngineThread::new(Box::new(engine), move || main.unpark())?;

    let start = Instant::now();
    let mut ends = false;
    while !ends {
        let round = head.round().map_or(0, |round| round.number);
        for act in head.step(Instant::now(), &Naps { folder: &folder, round }) {
            match act {
                Act::Ask(task) => engine_thread.ask(task),
                Act::Submit(round) => engine_thread.ask(Task::Submit(Box::new(hand_in(&round, &folder)?))),
                Act::Say(notice) => println!("{:.1?}: {notice}", start.elapsed()),
                Act::Lost { ranges, why } => println!("lost: {ranges:?}, {why}"),
                Act::Left { ranges, why } => println!("left: {ranges:?}, {why}"),
                Act::Refused(words) => println!("refused: {words}"),
                Act::Over => ends = true,
            }
        }
        thread::park_timeout(Duration::from_millis(100));
        while let Some(answer) = engine_thread.take() {
            head.handle_answer(Instant::now(), answer);
        }
    }
    let all = Naps { folder: &folder, round: 0 };
    let finished = (1..=naps).filter(|nap| all.is_finished(*nap)).count();
    println!("{:.1?}: {finished} of {naps} are finished", start.elapsed());
    Ok(())
}

/// Writes down what the elements of a round have to do.
fn hand_in(round: &Round, folder: &Path) -> std::io::Result<Array> {
    for (index, piece) in round.pieces.iter().enumerate() {
        let naps: Vec<String> = piece.positions().map(|nap| nap.to_string()).collect();
        fs::write(folder.join(format!("{}-{index}", round.number)), naps.join("\n"))?;
    }
    let words = ["sh", "-c", ELEMENT, "sh"].map(OsString::from);
    let command = words.into_iter().chain([folder.into(), round.number.to_string().into()]).collect();
    Ok(Array {
        name: round.name.clone(),
        elements: round.elements,
        at_once: None,
        leave_out: Vec::new(),
        processors: Processors::Exactly(1),
        requeue: Requeue::Yes,
        time: None,
        command,
        directory: PathBuf::from(folder),
        log: folder.join("log-"),
    })
}
