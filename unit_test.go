package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestUnit holds systemd's unit to options that the meter has.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("rtfm-meter.service")
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile(`(?m)^ExecStart=\S+/rtfm (.*)$`).FindStringSubmatch(string(text))
	options := regexp.MustCompile(`(?m)^Environment="METER_OPTIONS=(.*)"$`).FindStringSubmatch(string(text))
	if start == nil || options == nil {
		t.Fatal("the unit has no ExecStart or METER_OPTIONS")
	}
	args := strings.Fields(strings.Replace(start[1], "$METER_OPTIONS", options[1], 1))
	out, err := exec.Command("rtfm", args...).CombinedOutput()
	if want := "rtfm: stat /var/lib/rtfm/trace.pcap: no such file or directory\n"; err == nil || string(out) != want {
		t.Errorf("rtfm %q: %v: %s, want %s", args, err, out, want)
	}
}
