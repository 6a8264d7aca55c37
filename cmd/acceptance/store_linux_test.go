package acceptance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// surveyed returns what rtfm store check tells of a store.
func surveyed(t *testing.T, dir string) (packets, lost, unstored int) {
	t.Helper()
	var out strings.Builder
	if status := runMain([]string{"store", "check", dir}, nil, &out, &out); status != 0 {
		t.Fatalf("exit status %d: %s", status, out.String())
	}
	text := out.String()
	return numberIn(t, `files?  (\d+) packet`, text), numberIn(t, `(\d+) lost`, text), numberIn(t, `(\d+) unstored`, text)
}

// opens has capinfos open all files of a store, and returns how many packets it finds.
func opens(t *testing.T, dir string) (packets int) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*Z-*.[pe][cr][af]*")) // but indexes, and RAW files
	for _, f := range files {
		out, err := exec.Command(tracetest.Require(t, "capinfos"), "-c", "-M", "-T", "-r", f).CombinedOutput()
		if err != nil {
			t.Fatalf("capinfos: %v: %s", err, out)
		}
		packets += numberIn(t, `\t(\d+)\s*$`, string(out))
	}
	return packets
}

// TestStoreLive meters and stores what comes at an interface: the flows are those of
// metering the store, and each packet is in it.
func TestStoreLive(t *testing.T) {
	t.Parallel()
	tracetest.Network(t)
	const sent = 30_000
	dir := t.TempDir()
	folder, flows, again := filepath.Join(dir, "store"), filepath.Join(dir, "live.csv"), filepath.Join(dir, "again.csv")
	p := startLive(t, 1, "run", "-i", "eb", "-r", everyFlow, "--csv", "-F", flows, "--store", folder, "--ring-size", "128", "--store-buffer", "64MiB")
	tracetest.Blast{Hosts: 50, Ports: 50, Rate: 40_000}.Send(t, "ea", "eb", sent)
	p.wait(30*time.Second, func(string) bool { // without a packet behind them
		packets, lost, unstored := 0, 0, 0
		if _, err := os.Stat(folder); err == nil {
			packets, lost, unstored = surveyedAnyhow(folder)
		}
		return packets+lost+unstored == sent
	})
	p.endLive()
	packets, lost, unstored := surveyed(t, folder)
	if packets+lost+unstored != sent || packets != opens(t, folder) {
		t.Errorf("%d packets are stored, %d lost, %d unstored, of %d; capinfos finds %d", packets, lost, unstored, sent, opens(t, folder))
	}
	ends(t, program(t, "run", "-q", "-r", everyFlow, "--csv", "-F", again, "store:"+folder))
	if a, b := withoutMeter(readText(t, flows), "IntervalEndNs"), withoutMeter(readText(t, again), "IntervalEndNs"); a != b && unstored == 0 {
		t.Errorf("flows differ: %d octets metered live, %d from the store", len(a), len(b))
	}
}

// TestStoreMeter has a meter that managers control store what it meters.
func TestStoreMeter(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "store")
	m := startMeter(t, nil, "-C", providerTrace, "--store", folder, "--grace", "0")
	m.waitForEnd()
	m.signal(syscall.SIGTERM)
	if status := m.exit(20 * time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if packets, lost, unstored := surveyed(t, folder); packets != 4161 || lost+unstored > 0 || packets != opens(t, folder) {
		t.Errorf("%d packets are stored, %d lost, %d unstored", packets, lost, unstored)
	}
}

// surveyedAnyhow is surveyed for a store that is being written, whose last chunk may be
// half there.
func surveyedAnyhow(dir string) (packets, lost, unstored int) {
	var out strings.Builder
	runMain([]string{"store", "check", dir}, nil, &out, new(strings.Builder))
	if i := strings.Index(out.String(), "  "); i > 0 {
		fmt.Sscanf(out.String()[i:], "%d", &packets)
	}
	for _, part := range strings.Split(out.String(), ", ") {
		var n int
		var word string
		if k, _ := fmt.Sscanf(part, "%d %s", &n, &word); k == 2 && word == "lost" {
			lost = n
		} else if k == 2 && word == "unstored" {
			unstored = n
		}
	}
	return packets, lost, unstored
}

// TestStoreKilled kills a program that stores what comes, again and again, at any moment:
// before it goes on every file can be opened, and in the end all is whole.
func TestStoreKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waiting")
	}
	t.Parallel()
	tracetest.Network(t)
	kills := 4
	if tracetest.Long() {
		kills = 50
	}
	folder := filepath.Join(t.TempDir(), "store")
	last := 0
	for range kills {
		p := startLive(t, 1, "store", "run", "-i", "eb", "-d", folder, "--ring-size", "64", "--buffer", "32MiB", "--file-size", "4MiB")
		done := make(chan struct{})
		go func() {
			defer close(done)
			time.Sleep(time.Duration(rand.IntN(800)) * time.Millisecond)
			p.signal(syscall.SIGKILL)
		}()
		tracetest.Blast{Hosts: 50, Ports: 50, Rate: 50_000}.Send(t, "ea", "eb", 20_000)
		<-done
		p.exit(20 * time.Second)
		if n := opens(t, folder); n < last {
			t.Errorf("%d packets, %d were there before", n, last)
		} else {
			last = n
		}
	}
	p := startLive(t, 1, "store", "run", "-i", "eb", "-d", folder)
	p.endLive()
	if packets, _, _ := surveyed(t, folder); packets != last || last == 0 {
		t.Errorf("%d packets, want %d", packets, last)
	}
}

// TestStoreKilledFormats kills programs that store in formats without marks: when another
// one has gone on all is whole, and no packet that was there is gone.
func TestStoreKilledFormats(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waiting")
	}
	t.Parallel()
	tracetest.Network(t)
	kills := 1
	if tracetest.Long() {
		kills = 15
	}
	for _, kind := range []string{"pcap", "erf", "raw"} {
		folder := filepath.Join(t.TempDir(), "store")
		last := 0
		for range kills {
			p := startLive(t, 1, "store", "run", "-i", "eb", "-d", folder, "--format", kind, "--ring-size", "64", "--buffer", "32MiB", "--file-size", "4MiB")
			tracetest.Blast{Hosts: 50, Ports: 50, Rate: 50_000}.Send(t, "ea", "eb", 10_000+rand.IntN(20_000))
			p.wait(30*time.Second, func(string) bool { // something is on the disk
				n, _, _ := surveyedAnyhow(folder)
				return n > last
			})
			p.signal(syscall.SIGKILL)
			p.exit(20 * time.Second)
			if n, _, _ := surveyedAnyhow(folder); n < last {
				t.Errorf("%s: %d packets, %d were there before", kind, n, last)
			} else {
				last = n
			}
		}
		p := startLive(t, 1, "store", "run", "-i", "eb", "-d", folder, "--format", kind)
		p.endLive()
		if packets, _, _ := surveyed(t, folder); packets != last || last == 0 {
			t.Errorf("%s: %d packets, want %d", kind, packets, last)
		}
		if n := opens(t, folder); kind != "raw" && n != last {
			t.Errorf("%s: capinfos finds %d packets of %d", kind, n, last)
		}
	}
}

// TestStoreFull stores more than a disk has room for: old files go. When there is only the
// one that is written, it ends, and what did not fit is counted. Every file can be opened.
func TestStoreFull(t *testing.T) {
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "many.pcap")
	const flows = 120_000 // of two packets
	if err := os.WriteFile(trace, manyTuples(flows), 0o600); err != nil {
		t.Fatal(err)
	}
	disks := map[string]func(t *testing.T, dir string){"tmpfs": smallTmpfs, "ext4": smallExt4}
	for _, tt := range []struct {
		disk, name string
		args       []string
		removes    bool
	}{
		{"tmpfs", "one file", []string{"--file-size", "1GiB"}, false}, {"tmpfs", "many files", []string{"--file-size", "4MiB"}, true},
		{"ext4", "one file", []string{"--file-size", "1GiB"}, false}, {"ext4", "many files", []string{"--file-size", "4MiB"}, true},
	} {
		t.Run(tt.disk+" "+tt.name, func(t *testing.T) {
			dir := t.TempDir()
			disks[tt.disk](t, dir)
			folder := filepath.Join(dir, "store")
			// A process of its own: those that are started beside this one hold its files
			// open for a while, whose room is not free then.
			cmd := exec.Command("rtfm", append([]string{"store", "run", "-d", folder, "--buffer", "64MiB", trace}, tt.args...)...)
			out, _ := cmd.CombinedOutput()
			told, status := string(out), cmd.ProcessState.ExitCode()
			packets, _, unstored := surveyed(t, folder)
			stored := numberIn(t, `(\d+) packets are stored`, told)
			if tt.removes && (status != 0 || unstored > 0 || stored != 2*flows) || packets == 0 || packets >= stored {
				t.Errorf("exit status %d, %d packets are there, %d unstored: %s", status, packets, unstored, told)
			}
			if !tt.removes && (status != 3 || stored+unstored != 2*flows || !strings.Contains(told, fmt.Sprintf("%d packets are not stored", unstored))) {
				t.Errorf("exit status %d, %d packets stored, %d unstored: %s", status, stored, unstored, told)
			}
			if n := opens(t, folder); n != packets {
				t.Errorf("capinfos finds %d packets, there are %d", n, packets)
			}
			if tt.disk == "ext4" {
				if n := tsharkOpens(t, folder); n != packets {
					t.Errorf("tshark finds %d packets, there are %d", n, packets)
				}
			}
		})
	}
}

// smallTmpfs mounts a disk of 12 MiB in memory at dir.
func smallTmpfs(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=12m"); err != nil {
		tracetest.Missing(t, "root", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// smallExt4 mounts a disk of 14 MiB, of ext4, at dir.
func smallExt4(t *testing.T, dir string) {
	t.Helper()
	mountExt4(t, dir, 14<<20, "-O", "^has_journal")
}

// tsharkOpens has tshark read all files of a store, and returns how many packets it finds.
func tsharkOpens(t *testing.T, dir string) (packets int) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.pcapng"))
	for _, f := range files {
		packets += strings.Count(tsharkPackets(t, f, ""), "\n")
	}
	return packets
}
