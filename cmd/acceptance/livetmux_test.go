package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// terminal is a real one, of 80 columns and 24 lines, in which a program runs.
type terminal struct {
	t      *testing.T
	tmux   string
	folder string // of its socket
}

// newTerminal runs a shell's command in a terminal.
func newTerminal(t *testing.T, command string) *terminal {
	t.Helper()
	term := &terminal{t: t, tmux: tracetest.Require(t, "tmux"), folder: t.TempDir()}
	// Set before the command starts, which may be over before tmux is asked again.
	conf := filepath.Join(term.folder, "conf")
	if err := os.WriteFile(conf, []byte("set-option -g remain-on-exit on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	term.run("-f", conf, "new-session", "-d", "-x", "80", "-y", "24", command)
	t.Cleanup(func() { term.command("kill-server").Run() })
	return term
}

func (m *terminal) command(args ...string) *exec.Cmd {
	cmd := exec.Command(m.tmux, append([]string{"-S", filepath.Join(m.folder, "s")}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm-256color", "TMUX=")
	return cmd
}

// run has tmux do something and returns what it prints.
func (m *terminal) run(args ...string) string {
	m.t.Helper()
	out, err := m.command(args...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// wait waits until the terminal shows all of these texts, and returns its lines.
func (m *terminal) wait(texts ...string) []string {
	m.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		shown := m.run("capture-pane", "-p", "-e")
		missing := ""
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				missing = text
			}
		}
		if missing == "" {
			return strings.Split(strings.TrimSuffix(m.run("capture-pane", "-p"), "\n"), "\n")
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("the terminal does not show %q:\n%s", missing, shown)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestTopInTerminal looks at rtfm top as people see it, presses keys, and makes the
// terminal smaller.
func TestTopInTerminal(t *testing.T) {
	t.Parallel()
	m := newTerminal(t, "rtfm top -T 60 traces/testdata/sample.pcap; echo status $?")
	lines := m.wait("rtfm top sample.pcap", "ended", "198.51.100.80", "total")
	if len(lines) != 24 || !strings.Contains(lines[1], "18.6 kbit/s  7.00 pps  18 flows  lost 0  uncounted 0") ||
		!strings.HasPrefix(lines[3], "Source  ") || !strings.HasPrefix(lines[23], "s sort") {
		t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	m.run("send-keys", "c", "3")
	m.wait("3  [ ] DestPeerAddress")
	m.run("send-keys", "Enter", "s", "s")
	m.wait("rates, by from, 1 columns hidden")
	m.run("send-keys", "/", "DestTransAddress == nowhere", "Enter")
	m.wait("filter: DestTransAddress == nowhere_", `no value of DestTransAddress "nowhere"`)
	m.run("send-keys", "Escape")
	m.run("resize-window", "-x", "50", "-y", "12")
	lines = m.wait("? help  q quit", "others")
	if len(lines) != 12 || !strings.HasPrefix(lines[10], "total") {
		t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	m.run("send-keys", "q")
	m.wait("status 0")
}

// TestTopPlainTerminals: a dumb terminal gets a table; colours only where they are
// wanted. Damage is told on the screen, and behind it.
func TestTopPlainTerminals(t *testing.T) {
	t.Parallel()
	m := newTerminal(t, "TERM=dumb rtfm top -n 1 -T 300 traces/testdata/sample.pcap | cat; TERM=dumb rtfm top -N 1 -n 1 -T 60 traces/testdata/sample.pcap; echo status $?")
	for _, line := range m.wait("status 0", "30 others", "lost 0, uncounted 0") {
		if strings.Contains(line, "q quit") {
			t.Error(line)
		}
	}
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.pcap")
	if err := os.WriteFile(cut, sample[:len(sample)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	for setting, red := range map[string]bool{"NO_COLOR=1": false, "NO_COLOR=": true} {
		m := newTerminal(t, fmt.Sprintf("%s rtfm top -T 60 %s; echo status $?", setting, cut))
		m.wait("cut.pcap: pcap: record", "q quit")
		if shown := m.run("capture-pane", "-p", "-e"); strings.Contains(shown, "91m") != red {
			t.Errorf("%s:\n%q", setting, shown)
		}
		m.run("send-keys", "q")
		m.wait("status 2", "truncated: 75 of 82 octets")
	}
}
