package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// serversModule is the folder of a module of its own, of servers that tests run.
const serversModule = "cmd/acceptance/servers"

// serverPrograms builds the programs of that module, once, and returns the folder they
// are in. What go has compiled before it finds in its cache.
var serverPrograms = sync.OnceValues(func() (folder string, err error) {
	if folder, err = os.MkdirTemp("", "rtfm-servers"); err != nil {
		return "", err
	}
	serversFolder.Store(&folder)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-o", folder+"/", "github.com/nats-io/nats-server/v2", "./...")
	build.Dir, build.Env = serversModule, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		return folder, fmt.Errorf("%w: %s", err, out)
	}
	return folder, nil
})

// serversFolder is where they are, nil if they were not built.
var serversFolder atomic.Pointer[string]

// removeServers is for the end of all tests.
func removeServers() {
	if folder := serversFolder.Load(); folder != nil {
		os.RemoveAll(*folder)
	}
}

// serverProgram returns the path of a program of the servers' module.
func serverProgram(t *testing.T, name string) string {
	t.Helper()
	folder, err := serverPrograms()
	if err != nil {
		tracetest.Missing(t, "servers", err)
	}
	return filepath.Join(folder, name)
}

// rows are those of flows and of collections, by their keys, each with how often it was
// there.
type rows struct {
	flows, collections map[string]int
	sums               map[string]*big.Int // of the flows' counters
}

// The columns that identify a row, and those of which sums are compared.
var (
	flowRowKey       = []string{"Meter", "Boot", "RuleSet", "FlowIndex", "FirstTimeNs", "IntervalEndNs"}
	collectionRowKey = []string{"Meter", "Boot", "RuleSets", "IntervalEndNs"}
	flowCounters     = []string{"ToPDUs", "FromPDUs", "ToOctets", "FromOctets", "DeltaToOctets", "DeltaFromOctets"}
)

// readRows reads JSON lines of rows, wherever they are from. What a line of a segment has
// before its row is passed over, and so are lines that begin with #.
func readRows(t *testing.T, text string) *rows {
	t.Helper()
	r := &rows{make(map[string]int), make(map[string]int), make(map[string]*big.Int)}
	for _, c := range flowCounters {
		r.sums[c] = new(big.Int)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var row map[string]any
		d := json.NewDecoder(bytes.NewReader([]byte(line)))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		key := func(columns []string) string {
			var values []any
			for _, c := range columns {
				values = append(values, row[c])
			}
			return fmt.Sprint(values...)
		}
		switch _, isFlow := row["FlowIndex"]; {
		case isFlow:
			r.flows[key(flowRowKey)]++
			if r.flows[key(flowRowKey)] > 1 {
				continue // once is enough in sums
			}
			for _, c := range flowCounters {
				n, ok := row[c].(json.Number)
				if v, parsed := new(big.Int).SetString(n.String(), 10); ok && parsed {
					r.sums[c].Add(r.sums[c], v)
				}
			}
		case row["RuleSets"] != nil:
			r.collections[key(collectionRowKey)]++
		}
	}
	return r
}

// twice returns how many rows were there more than once.
func (r *rows) twice() (n int) {
	for _, all := range []map[string]int{r.flows, r.collections} {
		for _, times := range all {
			n += times - 1
		}
	}
	return n
}

// compare compares the rows with the flows of a file of JSON lines with so many
// collections.
func (r *rows) compare(t *testing.T, file string, collections int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := readRows(t, string(text))
	missing := 0
	for key := range want.flows {
		if r.flows[key] == 0 {
			missing++
		}
	}
	if missing > 0 || len(r.flows) != len(want.flows) || len(want.flows) == 0 {
		t.Errorf("%d flows, %d of %d are missing", len(r.flows), missing, len(want.flows))
	}
	if len(r.collections) != collections {
		t.Errorf("%d collections, not %d", len(r.collections), collections)
	}
	for _, c := range flowCounters {
		if r.sums[c].Cmp(want.sums[c]) != 0 {
			t.Errorf("%s sums up to %s, and in the file to %s", c, r.sums[c], want.sums[c])
		}
	}
}

// withoutRows returns the lines that begin with #, without that.
func withoutRows(text string) (heads []string) {
	for line := range strings.Lines(text) {
		if head, ok := strings.CutPrefix(line, "# "); ok {
			heads = append(heads, strings.TrimSuffix(head, "\n"))
		}
	}
	return heads
}
