//go:build unix

package acceptance

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/cmd"
)

// endlessPipe returns the path of a pipe that somebody writes to who never comes to
// an end, after text.
func endlessPipe(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "endless")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0) // which waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return path
}

// waitToRest waits until the program has nothing to do, as far as the system
// tells, or has worked for long.
func (p *process) waitToRest() {
	p.t.Helper()
	const long = 30 // hundredths of a second of processor time
	rested, before := 0, -1
	for deadline := time.Now().Add(20 * time.Second); rested < 5 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		if err != nil {
			rested++ // a system without
			continue
		}
		var state string
		var ignored, user, system int
		_, after, _ := strings.Cut(string(stat), ") ")
		fmt.Sscan(after, &state, &ignored, &ignored, &ignored, &ignored, &ignored, &ignored, &ignored, &ignored, &ignored, &ignored, &user, &system)
		switch now := user + system; {
		case now > long:
			return
		case state == "S" && now == before:
			rested++
		default:
			rested, before = 0, now
		}
	}
}

// TestSignalsEndCommands: each command ends at a signal, whatever it waits for.
func TestSignalsEndCommands(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	silent := conn.LocalAddr().String()
	nobody, unread := filepath.Join(dir, "nobody"), filepath.Join(dir, "unread")
	for _, pipe := range []string{nobody, unread} {
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Skip(err)
		}
	}
	for i, args := range [][]string{
		{"srl", "check", endlessPipe(t, "count;")},
		{"srl", "compile", endlessPipe(t, "count;")},
		{"srl", "compile", nobody},
		{"trace", "info", nobody},
		{"trace", "info", endlessPipe(t, string(sample[:5000]))},
		{"trace", "convert", nobody, filepath.Join(dir, "a.pcap")},
		{"trace", "convert", endlessPipe(t, string(sample[:5000])), filepath.Join(dir, "b.pcap")},
		{"run", nobody},
		{"run", "-F", unread, "traces/testdata/sample.pcap"},
		{"run", "-r", nobody, "traces/testdata/sample.pcap"},
		{"run", endlessPipe(t, string(sample[:5000]))},
		{"meter", "-C", nobody, "--snmp", "127.0.0.1:0", "--read-community", "x", "--grace", "0"},
		{"reader", "--once", silent, "public"},
		{"reader", "--watch", silent, "public"},
		{"reader", "--community-file", nobody, silent},
		{"manager", "--config", nobody},
		{"manager", "-r", nobody, silent, "x"},
	} {
		signal := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}[i%3]
		t.Run(fmt.Sprint(args[:2], signal), func(t *testing.T) {
			t.Parallel()
			p := startBeside(t, exec.Command("rtfm", args...))
			p.waitToRest()
			p.signal(signal)
			status := p.exit(20 * time.Second)
			// Some have an end of their own, and a status for it.
			own := !slices.Contains([]string{"srl", "manager"}, args[0])
			if want := 128 + int(signal); status != want && !(own && (status == cmd.StatusInterrupted || status == 0)) {
				t.Errorf("exit status %d, want %d", status, want)
			}
		})
	}
}

// TestSecondSignal: signals that come twice, as timeout(1) sends them, leave the
// flow data whole.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		flows := filepath.Join(t.TempDir(), "flows")
		p := startBeside(t, exec.Command("rtfm", "run", "-q", "-F", flows, endlessPipe(t, string(sample[:5000]))))
		p.waitToRest()
		for range 20 {
			p.signal(signal)
			p.signal(syscall.SIGTERM)
		}
		if status := p.exit(20 * time.Second); status != cmd.StatusInterrupted {
			t.Errorf("%v: exit status %d, want %d", signal, status, cmd.StatusInterrupted)
		}
		if text, err := os.ReadFile(flows); !bytes.Contains(text, []byte("\n#EndData: flows=3 ")) {
			t.Errorf("%v: %v, flow data %q", signal, err, text)
		}
	}
}

// TestSignalsWhileWriting: two signals at once leave flow data whole that is being
// written, and later ones end that.
func TestSignalsWhileWriting(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	// More than a pipe holds, of which nothing is read.
	start := func() (*process, *os.File) {
		p := startBeside(t, exec.Command("rtfm", "run", "-q", "--json", "-T", "0.001", "-F", pipe, "traces/testdata/sample.pcap"))
		r, err := os.Open(pipe)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		p.waitToRest()
		return p, r
	}
	p, r := start()
	p.signal(syscall.SIGTERM)
	p.waitToRest()
	p.signal(syscall.SIGTERM)
	p.waitToRest()
	text, err := io.ReadAll(r)
	if status := p.exit(20 * time.Second); status != cmd.StatusInterrupted {
		t.Errorf("exit status %d, want %d", status, cmd.StatusInterrupted)
	}
	lines := bytes.Split(text, []byte("\n"))
	if n := len(lines); err != nil || n < 3 || len(lines[n-1]) > 0 || !bytes.HasPrefix(lines[n-2], []byte(`{"record":"end",`)) {
		t.Errorf("%d lines, the last ones %q, %v", n, lines[max(n-2, 0):], err)
	}

	p, _ = start()
	p.signal(syscall.SIGINT)
	status := p.signalAgain(syscall.SIGINT, 20*time.Second)
	if want := 128 + int(syscall.SIGINT); status != want || !strings.Contains(p.printed(), "another signal ends that") {
		t.Errorf("exit status %d, want %d: %s", status, want, p.printed())
	}
}

// TestWriteToPipe: a pipe is opened for writing only, when there is a reader, and
// one that nobody reads any more ends the program.
func TestWriteToPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	run := func(args ...string) *process {
		return startBeside(t, exec.Command("rtfm", append([]string{"run", "-q", "-F", pipe}, args...)...))
	}
	p := run("traces/testdata/sample.pcap")
	text, err := os.ReadFile(pipe)
	if status := p.exit(20 * time.Second); status != 0 || err != nil || !bytes.Contains(text, []byte("\n#EndData: flows=3 ")) {
		t.Errorf("exit status %d; read %q, %v", status, text, err)
	}
	// More than a pipe holds, and a reader that goes away after the first line.
	p = run("--json", "-T", "0.001", "traces/testdata/sample.pcap")
	r, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	r.Read(make([]byte, 10))
	r.Close()
	if status := p.exit(20 * time.Second); status != cmd.StatusFailed || !strings.Contains(p.printed(), "broken pipe") {
		t.Errorf("exit status %d: %s", status, p.printed())
	}
}

// TestKeepsWhatWasThere: a file is emptied only for new flow data.
func TestKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("trace", sample)
	write("none.pcap", sample[:24])
	if err := os.Link(path("trace"), path("hard")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   string
		status int
		kept   bool
	}{
		{"nosuch.pcap", cmd.StatusDamaged, true},
		{"endings_test.go", cmd.StatusDamaged, true},
		{"-r nosuch.srl " + path("trace"), cmd.StatusFailed, true},
		{"-i nosuch0", cmd.StatusFailed, true},
		{"-T 5 --user nosuch-user " + path("trace"), cmd.StatusFailed, true},
		{path("none.pcap"), 0, false}, // all that there is
		{path("trace"), 0, false},
	} {
		write("flows", []byte("yesterday's"))
		p := startBeside(t, exec.Command("rtfm", append([]string{"run", "-q", "-F", path("flows")}, strings.Fields(test.args)...)...))
		status := p.exit(20 * time.Second)
		text, _ := os.ReadFile(path("flows"))
		if kept := string(text) == "yesterday's"; status != test.status || kept != test.kept {
			t.Errorf("%s: exit status %d, %q in the file; %s", test.args, status, text, p.printed())
		}
	}
	// Nor is a file made for nothing, or the trace destroyed.
	for _, test := range []struct{ args, stdin, stdout, gone string }{
		{args: "-F " + path("new") + " nosuch.pcap", gone: "new"},
		{args: "-F " + path("hard") + " " + path("trace")},
		{args: "-F " + path("trace") + " -", stdin: "trace"},
		{args: "-F " + path("hard") + " -", stdin: "trace"},
		{args: path("trace"), stdout: "hard"},
	} {
		cmd := exec.Command("rtfm", append([]string{"run", "-q"}, strings.Fields(test.args)...)...)
		if test.stdin != "" {
			cmd.Stdin, _ = os.Open(path(test.stdin))
		}
		if test.stdout != "" {
			cmd.Stdout, _ = os.OpenFile(path(test.stdout), os.O_WRONLY|os.O_APPEND, 0)
		}
		if err := cmd.Run(); err == nil {
			t.Errorf("%s: no error", test.args)
		}
		if trace, _ := os.ReadFile(path("trace")); !bytes.Equal(trace, sample) {
			t.Fatalf("%s: the trace is destroyed", test.args)
		}
		if _, err := os.Stat(path(test.gone)); test.gone != "" && err == nil {
			t.Errorf("%s: %s was made", test.args, test.gone)
		}
	}
}

// TestInterruptedConversion: a part of a trace does not get the name of the whole.
func TestInterruptedConversion(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.pcap")
	if err := os.WriteFile(out, sample, 0o600); err != nil {
		t.Fatal(err)
	}
	p := startBeside(t, exec.Command("rtfm", "trace", "convert", "-q", endlessPipe(t, string(sample[:5000])), out))
	p.waitToRest()
	p.signal(syscall.SIGTERM)
	if status := p.exit(20 * time.Second); status != cmd.StatusInterrupted {
		t.Errorf("exit status %d", status)
	}
	if now, err := os.ReadFile(out); !bytes.Equal(now, sample) {
		t.Errorf("%s is no longer what it was: %v", out, err)
	}
	if part, err := os.ReadFile(out + ".part"); err != nil || len(part) < 24 || len(part) > 5000 {
		t.Errorf("%d octets of the part: %v", len(part), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(out)); len(entries) != 2 {
		t.Errorf("left over: %v", entries)
	}
}

// TestRuntimeEnds: what the Go runtime ends, as it does without memory or at
// SIGQUIT, does not have the exit status of a damaged trace.
func TestRuntimeEnds(t *testing.T) {
	t.Parallel()
	p := startBeside(t, exec.Command("rtfm", "run", "-q", endlessPipe(t, "")))
	p.waitToRest()
	p.signal(syscall.SIGQUIT)
	if status := p.exit(20 * time.Second); status != -1 {
		t.Errorf("exit status %d, want that of a signal", status)
	}
}
