package acceptance

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestUnit holds systemd's unit to options that the meter has.
func TestUnit(t *testing.T) {
	text := unit(t)
	start := regexp.MustCompile(`(?m)^ExecStart=\S+/rtfm (.*)$`).FindStringSubmatch(text)
	options := regexp.MustCompile(`(?m)^Environment="METER_OPTIONS=(.*)"$`).FindStringSubmatch(text)
	if start == nil || options == nil {
		t.Fatal("the unit has no ExecStart or METER_OPTIONS")
	}
	args := strings.Fields(strings.Replace(start[1], "$METER_OPTIONS", options[1], 1))
	args[slices.Index(args, "eth0")] = "no-interface"
	out, err := exec.Command("rtfm", args...).CombinedOutput()
	want := "rtfm: capture at no-interface: interface no-interface: no such device\n"
	if runtime.GOOS != "linux" {
		want = "rtfm: live capture needs Linux\n"
	}
	if err == nil || string(out) != want {
		t.Errorf("rtfm %q: %v: %s, want %s", args, err, out, want)
	}
}

// unit returns systemd's unit.
func unit(t *testing.T) string {
	text, err := os.ReadFile("rtfm-meter.service")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
