package acceptance

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestFlowsSpool looks at a spool whose places are away, refuse what they get, and are
// well at last.
func TestFlowsSpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "flows"), filepath.Join(dir, "spool")
	const trace = "traces/testdata/sample.pcap"
	s := newSink(t, nil)
	s.refuses = true
	rtfm := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if status := runMain(args, nil, &out, &out); status != want {
			t.Errorf("rtfm %q: exit status %d, want %d\n%s", args, status, want, &out)
		}
		return out.String()
	}
	tells := func(got string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%q is not in\n%s", w, got)
			}
		}
	}
	const away = "http://127.0.0.1:1/x"
	tells(rtfm(5, "run", "-q", "--json", "-T", "60", "-F", file, "--export", s.URL+"/x", "--export", away, "--spool", folder, "--export-grace", "2", trace),
		"stopped: 400 Bad Request: the schema is wrong", "5 collections are still in "+folder, "rtfm flows spool --send "+folder)
	var told struct {
		Collections int
		Outlets     []struct {
			Name, To, Stopped string
			Waiting           int
		}
	}
	if err := json.Unmarshal([]byte(rtfm(5, "flows", "spool", "--json", folder)), &told); err != nil || told.Collections != 5 || len(told.Outlets) != 2 {
		t.Fatalf("%+v, %v", told, err)
	}
	refused, silent := told.Outlets[0], told.Outlets[1]
	if refused.To == away {
		refused, silent = silent, refused
	}
	tells(rtfm(5, "flows", "spool", folder), "5 collections in ", refused.Name, "next     collection 1\n", "stopped  400 Bad Request: the schema is wrong", silent.Name)
	tells(rtfm(1, "flows", "spool", "--skip", silent.Name, folder), "it has refused nothing")
	tells(rtfm(1, "flows", "spool", "--skip", "x", folder), "there is no outlet x")
	tells(rtfm(1, "flows", "spool", filepath.Join(dir, "none")), "no such file")
	// It is started again without the place that is away: what waits for that is kept.
	s.refuses = false
	tells(rtfm(5, "run", "-q", "-T", "60", "--export", s.URL+"/x", "--spool", folder, "--export-grace", "5", trace), "collections are still in "+folder)
	s.same(file)
	tells(rtfm(5, "flows", "spool", folder), "5 collections in ", "waiting  nothing")
	rtfm(0, "flows", "spool", "--forget", silent.Name, folder)
}
