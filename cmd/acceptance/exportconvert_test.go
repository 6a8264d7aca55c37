package acceptance

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// rowServer keeps the rows that are posted to it, until it refuses more.
type rowServer struct {
	*httptest.Server
	rows  []string
	takes int // so many requests
}

func newRowServer(t *testing.T, takes int) *rowServer {
	s := &rowServer{takes: takes}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.takes--; s.takes < 0 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Error(err)
		}
		s.rows = slices.AppendSeq(s.rows, strings.Lines(string(text)))
	}))
	t.Cleanup(s.Close)
	return s
}

// TestConvertToPlace: what is sent of a file is what the run has sent, text is without what
// it does not tell, and what was not delivered is counted and left nowhere.
func TestConvertToPlace(t *testing.T) {
	dir, spools := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", spools)
	file, text := filepath.Join(dir, "a.json"), filepath.Join(dir, "a.flows")
	sent, again, ofText, few := newRowServer(t, 1000), newRowServer(t, 1000), newRowServer(t, 1000), newRowServer(t, 5)
	succeed(t, "run", "-q", "-r", "@services", "-T", "60", "--json", "-F", file, "--export", sent.URL+"/flows", "traces/testdata/sample.pcap")
	succeed(t, "flows", "convert", "--to", "text", "-F", text, file)
	succeed(t, "flows", "convert", file, again.URL+"/flows")
	if len(sent.rows) < 20 || !slices.Equal(sent.rows, again.rows) {
		t.Errorf("%d rows of the run, %d of its file", len(sent.rows), len(again.rows))
	}
	succeed(t, "flows", "convert", file, text, ofText.URL+"/flows")
	if n := len(sent.rows); len(ofText.rows) != 2*n || !slices.Equal(ofText.rows[:n], sent.rows) || strings.Contains(ofText.rows[n], `"RuleSet"`) {
		t.Errorf("%d rows of the file and its text", len(ofText.rows))
	}
	var errs bytes.Buffer
	if status := runMain([]string{"flows", "convert", text, few.URL + "/flows"}, nil, io.Discard, &errs); status != 5 {
		t.Errorf("exit status %d", status)
	}
	for _, want := range []string{"rtfm: note: " + text + " is text, ", "stopped: 403 Forbidden\n", "rtfm: " + few.URL + "/flows: 3 collections were not delivered\n"} {
		if strings.Count(errs.String(), want) != 1 {
			t.Errorf("no %q in\n%s", want, &errs)
		}
	}
	left, err := os.ReadDir(spools)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestRowsFitSchema: rows of all example programs, and of statistics, have the columns that
// package record tells, with values of their types.
func TestRowsFitSchema(t *testing.T) {
	t.Parallel()
	flows, collections := map[string]record.Column{}, map[string]record.Column{}
	for _, c := range record.Columns() {
		flows[c.Name] = c
	}
	for _, c := range record.OfCollection() {
		collections[c.Name] = c
	}
	statistics := filepath.Join(t.TempDir(), "statistics.srl")
	if err := os.WriteFile(statistics, []byte(statisticRules), 0o600); err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob("ruleset/examples/*.srl")
	if err != nil || len(programs) < 5 {
		t.Fatal(programs, err)
	}
	seen := map[string]bool{}
	for _, program := range append(programs, statistics, "@flows") {
		s := newRowServer(t, 1000)
		succeed(t, "run", "-q", "-r", program, "--spool", filepath.Join(t.TempDir(), "spool"), "--export", s.URL+"/", "traces/testdata/sample.pcap")
		for _, row := range s.rows {
			var values map[string]json.RawMessage
			if err := json.Unmarshal([]byte(row), &values); err != nil {
				t.Fatalf("%v: %s", err, row)
			}
			columns := flows
			if values["FlowIndex"] == nil {
				columns = collections
			}
			for name, value := range values {
				seen[name] = true
				if c, ok := columns[name]; !ok || !fits(c, string(value)) {
					t.Errorf("%s: %s is %s, not of %+v", program, name, value, c)
				}
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d columns were seen", len(seen))
	}
}

// fits reports whether a value in JSON may be one of a column.
func fits(c record.Column, value string) bool {
	a, _ := attr.ByName(c.Name)
	switch {
	case value == "null":
		return strings.HasPrefix(c.Name, "Delta") || a == attr.CommunityID
	case c.Type == "json":
		return value[0] == '{'
	case c.Type == "string":
		return value[0] == '"' || a.Info().Class == attr.ClassMask && fits(record.Column{Type: "uint8"}, value)
	}
	n, ok := new(big.Int).SetString(value, 10)
	if !ok {
		return false
	}
	least, most := int64(0), map[string]uint{"uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64, "int64": 63}[c.Type]
	if c.Type == "int64" {
		least = -1 << 63
	}
	return n.Cmp(big.NewInt(least)) >= 0 && n.Cmp(new(big.Int).Lsh(big.NewInt(1), most)) < 0
}
