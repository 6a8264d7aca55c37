package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/cmd"

	"rtfm/traces/tracetest"
)

// anotherUser returns the user nobody's number and a folder that is his. It takes
// root, which is how RTFM_REQUIRE calls it.
func anotherUser(t *testing.T) (uid int, dir string) {
	t.Helper()
	u, err := user.Lookup("nobody")
	if err == nil && os.Geteuid() != 0 {
		err = fmt.Errorf("only root can become another user")
	}
	if err != nil {
		tracetest.Missing(t, "root", err)
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatal(err)
	}
	return uid, dir
}

// ownerOf returns the number of the user who has a file.
func ownerOf(t *testing.T, path string) int {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(st.Sys().(*syscall.Stat_t).Uid)
}

// TestRootGivesNothingAway: a process that becomes another user neither gives him
// what is root's nor writes to it, whatever links he has put where it writes.
func TestRootGivesNothingAway(t *testing.T) {
	t.Parallel()
	uid, dir := anotherUser(t)
	roots := filepath.Join(t.TempDir(), "root's")
	if err := os.WriteFile(roots, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	device := filepath.Join(t.TempDir(), "null")
	if err := syscall.Mknod(device, syscall.S_IFCHR|0o600, 1<<8|3); err != nil {
		device = roots // where there may be none
	}
	link := func(name, to string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const sample = "traces/testdata/sample.pcap"
	for _, args := range [][]string{
		{"meter", "-C", sample, "--snmp", tracetest.Address(t, "udp"), "--log", link("log", roots)},
		{"meter", "-C", sample, "--snmp", tracetest.Address(t, "udp"), "--log", link("null", device)},
		{"run", "-F", link("flows", roots), sample},
		{"run", "-i", "lo", "-F", link("live", roots)},
	} {
		p := startBeside(t, exec.Command("rtfm", append(args, "--user", "nobody")...))
		if status := p.exit(20 * time.Second); status != cmd.StatusFailed || !strings.Contains(p.printed(), "permission denied") {
			t.Errorf("%q: exit status %d: %s", args, status, p.printed())
		}
		if text, _ := os.ReadFile(roots); string(text) != "secret\n" || ownerOf(t, roots) != 0 || ownerOf(t, device) != 0 {
			t.Fatalf("%q: root's file is user %d's and holds %q", args, ownerOf(t, roots), text)
		}
	}

	// What is his own he may have, and it is opened again as his.
	log := filepath.Join(dir, "own")
	p := startBeside(t, exec.Command("rtfm", "meter", "-C", sample, "--snmp", tracetest.Address(t, "udp"), "--log", log, "--user", "nobody", "--grace", "0"))
	waitForText(t, log, "their flows can be read")
	_, secret, _ := strings.Cut(p.printed(), "the read community is in ")
	secret, _, _ = strings.Cut(secret, "\n")
	if owner := ownerOf(t, secret); owner != uid {
		t.Errorf("%s is user %d's", secret, owner)
	}
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	link("own", roots)
	p.signal(syscall.SIGHUP)
	p.signal(syscall.SIGTERM)
	p.exit(20 * time.Second)
	if text, _ := os.ReadFile(roots); string(text) != "secret\n" || ownerOf(t, roots) != 0 {
		t.Errorf("root's file is user %d's and holds %q", ownerOf(t, roots), text)
	}
	if _, err := os.Stat(secret); err == nil {
		t.Errorf("%s is still there", secret)
	}
}

// TestRunAsUser: traces are metered with the rights of the user that --user names,
// who need not be allowed to open them.
func TestRunAsUser(t *testing.T) {
	t.Parallel()
	uid, dir := anotherUser(t)
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(trace, sample, 0o600); err != nil {
		t.Fatal(err)
	}
	flows := filepath.Join(dir, "flows")
	p := startBeside(t, exec.Command("rtfm", "run", "-q", "--user", "nobody", "-F", flows, trace))
	if status := p.exit(20 * time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if owner := ownerOf(t, flows); owner != uid {
		t.Errorf("the flow data is user %d's, want %d", owner, uid)
	}
	p = startBeside(t, exec.Command("rtfm", "run", "-q", "--user", "nosuch-user", trace))
	if status := p.exit(20 * time.Second); status != cmd.StatusFailed {
		t.Errorf("exit status %d for a user that is not there", status)
	}
}
