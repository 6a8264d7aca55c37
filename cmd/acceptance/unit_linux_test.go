package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// TestUnitVerified has systemd read its unit.
func TestUnitVerified(t *testing.T) {
	analyze := tracetest.Require(t, "systemd-analyze")
	rtfm, err := exec.LookPath("rtfm")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rtfm-meter.service")
	text := strings.Replace(unit(t), "/usr/local/bin/rtfm", rtfm, 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// TestUnitRights captures as systemd has it done: as a user without rights, but
// for the capabilities of the unit.
func TestUnitRights(t *testing.T) {
	setpriv := tracetest.Require(t, "setpriv")
	tracetest.Network(t)
	capabilities := func(option string) (list string) {
		t.Helper()
		m := regexp.MustCompile(`(?m)^` + option + `=(.*)$`).FindStringSubmatch(unit(t))
		if m == nil {
			t.Fatalf("the unit has no %s", option)
		}
		list = "-all"
		for name := range strings.FieldsSeq(m[1]) {
			list += ",+" + strings.ToLower(strings.TrimPrefix(name, "CAP_"))
		}
		return list
	}
	// Everybody may run it there.
	dir := t.TempDir()
	for _, folder := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	rtfm := filepath.Join(dir, "rtfm")
	if err := os.WriteFile(rtfm, code, 0o755); err != nil {
		t.Fatal(err)
	}
	ambient := capabilities("AmbientCapabilities")
	p := startBeside(t, exec.Command(setpriv, "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--no-new-privs",
		"--bounding-set", capabilities("CapabilityBoundingSet"), "--inh-caps", ambient, "--ambient-caps", ambient,
		rtfm, "run", "--nemac", "-i", "eb"))
	p.waitToCapture(1)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(status), "\nNoNewPrivs:\t1\n") || strings.Contains(string(status), "\nUid:\t0\t") {
		t.Errorf("it has more rights than under systemd: %s", status)
	}
	tracetest.NewSender(t, "ea").Send(tracetest.Mix(1)[0].Data)
	p.endLive()
	if n := numberIn(t, `(?m)^(\d+) packets?, `, p.printed()); n != 1 {
		t.Errorf("%d packets, want 1", n)
	}
}
