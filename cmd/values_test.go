package cmd

import (
	"testing"

	"github.com/spf13/pflag"

	"rtfm/ruleset"
	"rtfm/traces/format"
)

// TestValues gives options values that they take, and others.
func TestValues(t *testing.T) {
	var number, whole int
	var length float64
	var word, weak string
	var written *ruleset.Format
	var limit format.Limit
	values := map[string]pflag.Value{
		"count":   newCount(&number, 5, 1, 10, "a number of flows"),
		"port":    newCount(&number, 5, 1, 65535, "a UDP port"),
		"seconds": newSeconds(&length, 300, 0.1, maxSeconds),
		"whole":   newWholeSeconds(&whole, 600),
		"choice":  newChoice(&word, "frame", "frame", "ip"),
		"auth":    newProtocol(&weak, "SHA-256", "SHA-224", "SHA-256", "SHA-384"),
		"format":  columns{&written},
		"time":    timeLimit{&limit},
	}
	const flows = "want a number of flows from 1 to 10"
	const span = "want a number of seconds from 0.1 to 1000000000"
	const whole0 = "want whole seconds from 0 to 1000000000, as 300 or 5m"
	for _, tt := range []struct{ kind, text, shown, err string }{
		{"count", "1", "1", ""},
		{"count", "10", "10", ""},
		{"count", "0", "", flows},
		{"count", "11", "", flows},
		{"count", "-1", "", flows},
		{"count", "1.5", "", flows},
		{"count", "", "", flows},
		{"count", "99999999999999999999", "", flows},
		{"port", "65536", "", "want a UDP port from 1 to 65535"},
		{"seconds", "0.1", "0.1", ""},
		{"seconds", "1h30m", "5400", ""},
		{"seconds", "1e9", "1000000000", ""},
		{"seconds", "0", "", span},
		{"seconds", "-5", "", span},
		{"seconds", "inf", "", span},
		{"seconds", "NaN", "", errSeconds.Error()},
		{"whole", "10m", "600", ""},
		{"whole", "0", "0", ""},
		{"whole", "0.5", "", whole0},
		{"whole", "-1", "", whole0},
		{"choice", "ip", "ip", ""},
		{"choice", "", "", "want frame or ip"},
		{"choice", "IP", "", "want frame or ip"},
		{"auth", "SHA-384", "SHA-384", ""},
		{"auth", "MD5", "", "want SHA-224, SHA-256 or SHA-384; MD5 and SHA-1 are too weak, and net-snmp has the others since 5.8"},
		{"format", `FlowIndex "," ToPDUs`, "", ""},
		{"format", "", "", ""},
		{"format", "Nosuch", "", `format: no attribute "Nosuch"`},
		{"time", "+60", "", ""},
		{"time", "", "", ""},
	} {
		v := values[tt.kind]
		before := v.String()
		err := v.Set(tt.text)
		switch {
		case err != nil && (err.Error() != tt.err || v.String() != before):
			t.Errorf("%s %q: %v, and %s instead of %s; want %q", tt.kind, tt.text, err, v, before, tt.err)
		case err == nil && (tt.err != "" || v.String() != tt.shown):
			t.Errorf("%s %q: %s, want %s, %q", tt.kind, tt.text, v, tt.shown, tt.err)
		}
	}
	if written != nil || limit != (format.Limit{}) {
		t.Errorf("after empty ones: %v, %v", written, limit)
	}
}
