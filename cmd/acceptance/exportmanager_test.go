package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportManagerCheck checks configurations with exports.
func TestExportManagerCheck(t *testing.T) {
	t.Parallel()
	s := newSink(t, nil)
	for _, c := range []struct {
		exports, want string
		connect       bool
	}{
		{`[{url: "` + s.URL + `/x"}]`, "", true},
		{`[{url: "http://127.0.0.1:1/x"}]`, "", false},
		{`[{url: "http://127.0.0.1:1/x"}]`, "connection refused", true},
		{`[{url: "kafak://b/t"}]`, "there is no kafak", false},
		{`[{url: "http://b/t", compresion: gzip}]`, "compresion: no such option; did you mean compression?", false},
		{`[{url: "http://u:secret@b/t"}]`, "use ?password-file=FILE", false},
		{`[{rows: 5}]`, `a place of exports needs a "url"`, false},
		{`[{url: "http://b/t", password: secret}]`, "password has to be keys and their values", false},
		{`{url: x}`, "exports has to be a list", false},
	} {
		status, out := checkExports(t, c.exports, c.connect)
		if (status != 0) != (c.want != "") || !strings.Contains(out, c.want) || strings.Contains(out, "secret@") {
			t.Errorf("%s: exit status %d, %s\nwant %q", c.exports, status, out, c.want)
		}
	}
}

// checkExports checks the configuration of a manager that exports to places, and with
// connect the places too. It returns the exit status and what was printed.
func checkExports(t *testing.T, exports string, connect bool) (status int, printed string) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "meters.yaml")
	rules, err := filepath.Abs("ruleset/examples/services.srl")
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, config, fmt.Sprintf("defaults:\n  snmp: {user: joe}\nmeters:\n  - {address: gw, tasks: [{rules: %s}], exports: %s}\n", rules, exports))
	args := []string{"manager", "--config", config, "--check"}
	if connect {
		args = append(args, "--connect")
	}
	var out bytes.Buffer
	status = runMain(args, nil, &out, &out)
	return status, out.String()
}

func putFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
