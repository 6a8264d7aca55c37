package acceptance

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// homeSizes measures what stands in docs/HOME.md.
type homeSizes struct {
	t    *testing.T
	dir  string
	rows int
}

// TestHomeSizes measures how fast rows of flows go into each place, how much room they take
// there, and how long the ten questions of docs/HOME.md take. RTFM_HOME says of how many rows,
// such as 1000000; the questions are asked of ten times as many.
func TestHomeSizes(t *testing.T) {
	rows, err := strconv.Atoi(os.Getenv("RTFM_HOME"))
	if err != nil {
		t.Skip("RTFM_HOME is no number of rows")
	}
	text, err := os.ReadFile("docs/HOME.md")
	if err != nil {
		t.Fatal(err)
	}
	h := &homeSizes{t: t, dir: t.TempDir(), rows: rows}
	writeDocFiles(t, h.dir, string(text))
	trace := filepath.Join(h.dir, "gw1")
	h.writeTrace(trace)
	h.spool(trace)
	flows := h.run(trace, "five.srl", "60")
	h.parquet(flows)
	c := h.clickhouse(flows)
	h.postgres(flows)
	h.nats(flows)
	h.questions(c, trace, string(text))
	h.inserts(c, trace)
}

// tell prints what was measured.
func (h *homeSizes) tell(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
}

// fiveTuple saves what flows are usually told apart by.
const fiveTuple = `if SourcePeerType == ipv4 save; else ignore;
if SourceTransType == (tcp, udp) save; else ignore;
save SourcePeerAddress; save DestPeerAddress; save SourceTransAddress; save DestTransAddress;
count;
`

// writeTrace writes a trace of ten minutes with two packets in each direction of each flow,
// a tenth of the flows in each minute: clients of some customers, and servers of which some
// are asked far more often than others.
func (h *homeSizes) writeTrace(path string) {
	putFile(h.t, filepath.Join(h.dir, "five.srl"), fiveTuple)
	f, err := os.Create(path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	w.Write(tracetest.PCAP(tracetest.PCAPOptions{}))
	r := rand.New(rand.NewPCG(19, 1))
	servers := rand.NewZipf(r, 1.2, 8, 19_999)
	ports := [...]uint16{443, 443, 443, 443, 80, 53, 53, 22, 25, 8443}
	start, step := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC).UnixNano(), int64(10*time.Minute)/int64(h.rows)
	frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.1.0.1", "198.51.0.1").UDP(1, 2).Payload(32).Bytes()
	const ip, udp = 14, 34
	record := make([]byte, 16+len(frame))
	for n := range h.rows {
		client, server := 10<<24|1<<16|r.Uint32()&0xfff, 198<<24|51<<16|uint32(servers.Uint64())
		port, high := ports[r.IntN(len(ports))], uint16(1024+r.IntN(60_000))
		for k := range 4 {
			at := start + int64(n)*step + int64(k)*step/4
			binary.LittleEndian.PutUint32(record, uint32(at/1e9))
			binary.LittleEndian.PutUint32(record[4:], uint32(at%1e9/1000))
			binary.LittleEndian.PutUint32(record[8:], uint32(len(frame)))
			binary.LittleEndian.PutUint32(record[12:], uint32(len(frame)+r.IntN(1400)))
			p := record[16:]
			copy(p, frame)
			if k&1 == 0 {
				binary.BigEndian.PutUint32(p[ip+12:], client)
				binary.BigEndian.PutUint32(p[ip+16:], server)
				binary.BigEndian.PutUint16(p[udp:], high)
				binary.BigEndian.PutUint16(p[udp+2:], port)
			} else {
				binary.BigEndian.PutUint32(p[ip+12:], server)
				binary.BigEndian.PutUint32(p[ip+16:], client)
				binary.BigEndian.PutUint16(p[udp:], port)
				binary.BigEndian.PutUint16(p[udp+2:], high)
			}
			w.Write(record)
		}
	}
	if err := w.Flush(); err != nil {
		h.t.Fatal(err)
	}
}

// timed runs a program of ours that has to end with a status, and returns how long that took
// and how much of a processor.
func (h *homeSizes) timed(status int, args ...string) (took, busy time.Duration) {
	h.t.Helper()
	cmd := exec.Command("rtfm", args...)
	began := time.Now()
	out, _ := cmd.CombinedOutput()
	took = time.Since(began)
	if got := cmd.ProcessState.ExitCode(); got != status {
		h.t.Fatalf("%q: exit status %d\n%s", args, got, out)
	}
	return took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// sent tells of rows that were sent in a time, of which each takes so many octets there.
func (h *homeSizes) sent(place string, rows int, octets int64, took, busy time.Duration) {
	h.tell("%-12s %9d rows  %5.1f s  %5.1f s of a processor  %8.0f rows/s  %6.1f octets a row", place, rows, took.Seconds(), busy.Seconds(),
		float64(rows)/took.Seconds(), float64(octets)/float64(rows))
}

// spool meters a trace into a spool from which nothing goes.
func (h *homeSizes) spool(trace string) {
	folder := filepath.Join(h.dir, "spool")
	took, busy := h.timed(5, "run", "-q", "-r", filepath.Join(h.dir, "five.srl"), "-T", "60", "--spool", folder, "--spool-limit", "20000", "--export-grace", "0", "--export", "http://127.0.0.1:1/", trace)
	h.sent("metered, spool", h.rows, folderSize(h.t, folder), took, busy)
}

// run meters a trace into a file of JSON lines.
func (h *homeSizes) run(trace, rules, interval string) (file string) {
	file = trace + "." + interval + ".json"
	h.timed(0, "run", "-q", "-r", filepath.Join(h.dir, rules), "-T", interval, "--align", "utc", "--json", "-F", file, trace)
	return file
}

// folderSize returns how many octets the files in a folder have.
func folderSize(t *testing.T, folder string) (octets int64) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			octets += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

func (h *homeSizes) parquet(file string) {
	folder := filepath.Join(h.dir, "parquet")
	took, busy := h.timed(0, "flows", "convert", "--export-grace", "600", file, "parquet:"+folder)
	h.sent("parquet", h.rows, folderSize(h.t, folder), took, busy)
}

// number returns what a server answers as a number.
func (h *homeSizes) number(answer string) int64 {
	h.t.Helper()
	n, err := strconv.ParseInt(strings.TrimSpace(answer), 10, 64)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// size returns how many octets tables of flows have on a server's disk.
func (h *homeSizes) size(c *clickHouse, database string) int64 {
	return h.number(c.query(h.t, "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '"+database+"'"))
}

func (h *homeSizes) clickhouse(file string) *clickHouse {
	c := newClickHouse(h.t, "")
	c.start(h.t)
	c.query(h.t, "CREATE DATABASE five")
	before := c.busy()
	took, busy := h.timed(0, "flows", "convert", "--export-grace", "600", file, h.place(c, "five"))
	h.sent("clickhouse", h.rows, h.size(c, "five"), took, busy)
	h.tell("%-12s the server: %.1f s of a processor", "", (c.busy() - before).Seconds())
	if got := h.number(c.query(h.t, "SELECT count() FROM five.flows")); got != int64(h.rows) {
		h.t.Errorf("%d rows, not %d", got, h.rows)
	}
	c.query(h.t, "OPTIMIZE TABLE five.flows FINAL")
	h.tell("%-12s merged: %.1f octets a row", "", float64(h.size(c, "five"))/float64(h.rows))
	return c
}

// place returns the URL of a database.
func (h *homeSizes) place(c *clickHouse, database string) string {
	return "clickhouse://rtfm@" + c.address + "/" + database + "/flows?create&password-file=" + c.passwordFile()
}

// busy returns how long the server has had a processor.
func (c *clickHouse) busy() time.Duration {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.server.Process.Pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (h *homeSizes) postgres(file string) {
	p := newPostgres(h.t)
	took, busy := h.timed(0, "flows", "convert", "--export-grace", "600", file, p.place("flows", "&create"))
	size := h.number(p.must("net", "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('flows')"))
	h.sent("postgres", h.rows, size, took, busy)
	p.kill()
}

func (h *homeSizes) nats(file string) {
	store := filepath.Join(h.dir, "nats")
	n := newNATS(h.t, 1, fmt.Sprintf("jetstream { store_dir: %q, sync_interval: always }", store))[0]
	n.start(h.t)
	n.ready(h.t)
	took, busy := h.timed(0, "flows", "convert", "--export-grace", "600", file, "nats://"+n.address+"/FLOWS?create")
	h.sent("nats", h.rows, folderSize(h.t, store), took, busy)
	n.kill()
}

// inserts has four programs at once insert collections of seconds, for half a minute: how
// many inserts a second are taken, and how many parts there are.
func (h *homeSizes) inserts(c *clickHouse, trace string) {
	const programs = 4
	c.query(h.t, "CREATE DATABASE many")
	var files []string
	for i := range programs {
		meter := filepath.Join(h.dir, fmt.Sprint("many", i))
		if err := os.Link(trace, meter); err != nil {
			h.t.Fatal(err)
		}
		files = append(files, h.run(meter, "five.srl", "1"))
	}
	few := filepath.Join(h.dir, "few.json")
	h.timed(0, "run", "-q", "--json", "-F", few, sampleTrace)
	h.timed(0, "flows", "convert", "--export-grace", "600", few, h.place(c, "many")) // makes the tables
	before := h.number(c.query(h.t, "SELECT count() FROM many.collections"))
	busy, began, most := c.busy(), time.Now(), 0
	var all []*process
	for _, file := range files {
		all = append(all, startBeside(h.t, exec.Command("rtfm", "flows", "convert", "--export-grace", "600", file, h.place(c, "many"))))
	}
	for time.Since(began) < 30*time.Second {
		time.Sleep(100 * time.Millisecond)
		parts, _ := filepath.Glob(filepath.Join(c.folder, "data/data/many/flows/2*"))
		most = max(most, len(parts))
	}
	took := time.Since(began)
	for _, p := range all {
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
	inserts := 2 * float64(h.number(c.query(h.t, "SELECT count() FROM many.collections"))-before)
	rows := h.number(c.query(h.t, "SELECT count() FROM many.flows"))
	h.tell("%d programs: %.0f inserts/s, %.0f rows/s, %.0f rows an insert of flows, %.1f ms of the server's processors an insert, at most %d parts on disk", programs,
		inserts/took.Seconds(), float64(rows)/took.Seconds(), 2*float64(rows)/inserts, (c.busy()-busy).Seconds()*1000/inserts, most)
}

// questions asks the ten questions of what ten meters have counted: of one of them what was
// metered, and of the others the same again.
func (h *homeSizes) questions(c *clickHouse, trace, text string) {
	c.query(h.t, "CREATE DATABASE net")
	customers, err := filepath.Abs("traces/testdata/customers.csv")
	if err != nil {
		h.t.Fatal(err)
	}
	file := filepath.Join(h.dir, "home.json")
	h.timed(0, "run", "-q", "-r", filepath.Join(h.dir, "home.srl"), "-r", "ruleset/examples/customers.srl", "-D", `list=file("`+customers+`")`, "-T", "60", "--align", "utc", "--json", "-F", file, trace)
	h.timed(0, "flows", "convert", "--export-grace", "600", file, h.place(c, "net"))
	for _, table := range []string{"flows", "collections"} {
		columns := strings.Fields(c.query(h.t, "SELECT name FROM system.columns WHERE database = 'net' AND table = '"+table+"' AND default_kind != 'MATERIALIZED' AND name != 'Meter'"))
		names := strings.Join(columns, ", ")
		for meter := 2; meter <= 10; meter++ {
			c.query(h.t, fmt.Sprintf("INSERT INTO net.%s (Meter, %s) SELECT 'gw%d', %s FROM net.%[1]s WHERE Meter = 'gw1'", table, names, meter, names))
		}
	}
	h.tell("%s rows of ten meters, %.1f octets each", strings.TrimSpace(c.query(h.t, "SELECT count() FROM net.flows")),
		float64(h.size(c, "net"))/float64(h.number(c.query(h.t, "SELECT count() FROM net.flows"))))
	for _, m := range homeQuery.FindAllStringSubmatch(text, -1) {
		best, before := time.Hour, c.busy()
		for range 3 {
			began := time.Now()
			c.query(h.t, m[2])
			best = min(best, time.Since(began))
		}
		h.tell("question %2s  %.2f s, %.2f s of processors", m[1], best.Seconds(), (c.busy()-before).Seconds()/3)
	}
	h.tell("ClickHouse %s", strings.TrimSpace(c.query(h.t, "SELECT version()")))
	var load syscall.Sysinfo_t
	if syscall.Sysinfo(&load) == nil {
		h.tell("load %.1f", float64(load.Loads[0])/65536)
	}
}
