package acceptance

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/spool"
)

// schemeCase is what tests have to know of a kind of place.
type schemeCase struct {
	// url is one that is right. HOST stands for an address, FOLDER for a folder, ? for
	// where options go.
	url string
	// option is one that it has.
	option string
	// secrets are contents of the files that its options name, in which SECRET stands.
	secrets map[string]string
	// bad are URLs that are refused, and what is told of each.
	bad map[string]string
}

// secret is what stands for SECRET.
const secret = "correct-horse-battery"

// schemeCases are those of all schemes that there are.
var schemeCases = map[string]schemeCase{
	"clickhouse":  {"clickhouse://me@HOST/net/flows?create", "quorum", map[string]string{"password-file": "SECRET\n"}, clickHouseBad("clickhouse")},
	"clickhouses": {"clickhouses://me@HOST/net/flows?create", "quorum", map[string]string{"password-file": "SECRET\n"}, clickHouseBad("clickhouses")},
	"http":        {"http://HOST/flows?rows=9", "compression", map[string]string{"header-file": "Authorization: Bearer SECRET\nX-Key: SECRET\n"}, httpBad("http")},
	"https":       {"https://HOST/flows?rows=9", "compression", map[string]string{"header-file": "Authorization: Bearer SECRET\nX-Key: SECRET\n"}, httpBad("https")},
	"ipfix": {"ipfix://HOST?biflow=split", "biflow", nil, map[string]string{
		"ipfix:":               "want ipfix:FILE or ipfix://HOST",
		"ipfix:x?mtu=1000":     "mtu and templates are for UDP, as ipfix://HOST",
		"ipfix://h?mtu=100":    "mtu=100: want a number from 512 to 65507",
		"ipfix://h?biflow=yes": "biflow=yes: want one of split, rfc5103",
		"ipfix://h,i":          "want one host, and nothing behind it but options",
		"ipfix://h?ca=x":       "ca: no such option",
	}},
	"ipfix+tcp": {"ipfix+tcp://HOST?biflow=split", "counters", nil, map[string]string{
		"ipfix+tcp:x":                 "want ipfix+tcp://HOST...",
		"ipfix+tcp://h/x":             "want one host, and nothing behind it but options",
		"ipfix+tcp://h?mtu=1000":      "mtu: no such option",
		"ipfix+tcp://h?counters=both": "counters=both: want one of delta, total",
	}},
	"ipfix+tls": {"ipfix+tls://HOST?biflow=split", "biflow", nil, map[string]string{
		"ipfix+tls://h?ca=/nonexistent": "open /nonexistent: no such file",
		"ipfix+tls://h?ca=/etc/passwd":  "/etc/passwd has no certificate in PEM",
		"ipfix+tls:x":                   "want ipfix+tls://HOST...",
	}},
	"kafka": {"kafka://me@HOST/flows?timeout=5s", "compression", map[string]string{"password-file": "SECRET\n"}, map[string]string{
		"kafka:flows":                                        "want kafka://HOST...",
		"kafka://h/a/b":                                      `"a/b" is no name of a topic`,
		"kafka://h/?collections=a%20b":                       `"a b" is no name of a topic`,
		"kafka://h/rtfm.collections.1":                       "want another topic for collections than for flows",
		"kafka://h/?compression=zip":                         "compression=zip: want one of zstd, lz4, snappy, gzip, none",
		"kafka://h/?sasl=gssapi":                             "sasl=gssapi: want one of scram-sha-512, scram-sha-256, plain",
		"kafka://h/?sasl=plain":                              "sasl needs a user and a password-file",
		"kafka://me@h/":                                      "sasl needs a user and a password-file",
		"kafka://me@h/?password-file=/etc/passwd&sasl=plain": "sasl=plain sends the password as it is: it needs tls",
		"kafka://me@h/?password-file=/nonexistent":           "password-file: open /nonexistent: no such file",
		"kafka://h/?tls=yes":                                 "tls=yes: want tls alone",
		"kafka://h/?ca=/etc/passwd":                          "/etc/passwd has no certificate in PEM",
		"kafka://h/?timeout=1":                               "timeout=1: want a time such as 60s",
	}},
	"nats": {"nats://me@HOST/FLOWS?timeout=5s", "compression", map[string]string{"password-file": "SECRET\n"}, map[string]string{
		"nats://h":                              "want nats://HOST/STREAM",
		"nats://h/a.b":                          "and a name without",
		"nats://h/S?replicas=3":                 "replicas is for a stream that is created: it needs create",
		"nats://h/S?create&replicas=9":          "replicas=9: want a number from 1 to 5",
		"nats://h/S?password-file=/nonexistent": "password-file: open /nonexistent: no such file",
		"nats://me@h/S?creds=/etc/passwd":       "creds tell who this is: want no user and no password-file",
		"nats://h/S?creds=/etc/passwd":          "/etc/passwd has no NATS user JWT",
		"nats:S":                                "want nats://HOST...",
	}},
	"otlp":  {"otlp://HOST?rows=9", "compression", map[string]string{"header-file": "Authorization: Bearer SECRET\n"}, httpBad("otlp")},
	"otlps": {"otlps://HOST?rows=9", "compression", map[string]string{"header-file": "Authorization: Bearer SECRET\n"}, httpBad("otlps")},
	"parquet": {"parquet:FOLDER/data?", "", nil, map[string]string{
		"parquet:":          "want parquet:FOLDER",
		"parquet:x?rows=10": "rows: no such option (parquet has none)",
	}},
	"postgres": {"postgres://me@HOST/net/flows?create", "timeout", map[string]string{"password-file": "SECRET\n"}, map[string]string{
		"postgres://h/net":                                  "want postgres://HOST/DATABASE/TABLE, or postgres:DATABASE/TABLE",
		"postgres://h/net/a;b":                              "names of tables of letters, digits, _ and periods",
		"postgres:net/flows?socket=x":                       "socket=x: want the path of a folder, or of a socket in it",
		"postgres://h/net/flows?socket=/x":                  "socket is for postgres:DATABASE/TABLE, without a host",
		"postgres://h/net/flows?tls=maybe":                  "tls=maybe: want one of verify, off",
		"postgres://h/net/flows?ca=/nonexistent":            "ca: open /nonexistent: no such file",
		"postgres://h/net/flows?ca=/etc/passwd":             "/etc/passwd has no certificate in PEM",
		"postgres://h/net/flows?password-file=/nonexistent": "password-file: open /nonexistent: no such file",
		"postgres://h:x/net/flows":                          "h:x is no host with a port",
	}},
}

func clickHouseBad(scheme string) map[string]string {
	bad := make(map[string]string)
	for rest, want := range map[string]string{
		"://h/net":                                   "want clickhouse://HOST/DATABASE/TABLE",
		"://h/net/a;b":                               "want clickhouse://HOST/DATABASE/TABLE",
		"://h/net/flows?create=maybe":                "create=maybe: want one of",
		"://h/net/flows?quorum=0":                    "quorum=0: want a number from 1 to 100",
		"://h/net/flows?timeout=0s":                  "timeout=0s: want a time such as 60s",
		"://h/net/flows?password-file=/nonexistent":  "password-file: open /nonexistent: no such file",
		":net/flows":                                 "want " + scheme + "://HOST...",
		"://h,,i/net/flows":                          "want a host behind //, or between commas",
		"://h/net/flows?collections=x&collections=y": "collections is given twice",
	} {
		bad[scheme+rest] = want
	}
	return bad
}

func httpBad(scheme string) map[string]string {
	bad := make(map[string]string)
	for rest, want := range map[string]string{
		"://a,b/flows":                   "want one host and no user",
		"://me@a/flows":                  "want one host and no user; who sends stands in ?header-file=FILE",
		"://a/?rows=0":                   "rows=0: want a number from 1 to 1000000",
		"://a/?compression=zip":          "compression=zip: want one of gzip, none",
		"://a/?header-file=/nonexistent": "header-file: open /nonexistent: no such file",
		":///x":                          "want a host behind //",
	} {
		bad[scheme+rest] = want
	}
	return bad
}

// schemes returns the names of all kinds of places that there are.
func schemes(t *testing.T) []string {
	t.Helper()
	var errs bytes.Buffer
	runMain([]string{"run", "--export", "nosuch:x", sampleTrace}, nil, &errs, &errs)
	known := regexp.MustCompile(`there is no nosuch \(known are (.*)\)`).FindStringSubmatch(errs.String())
	if known == nil {
		t.Fatalf("%s", &errs)
	}
	all := strings.Split(known[1], ", ")
	for name := range schemeCases {
		if !slices.Contains(all, name) {
			t.Errorf("there is no %s", name)
		}
	}
	return all
}

// TestExportSchemes: what is wrong with URLs of all kinds of places is told, by one line
// and before anything is metered, in the same words by run and manager.
func TestExportSchemes(t *testing.T) {
	t.Parallel()
	for _, name := range schemes(t) {
		c, ok := schemeCases[name]
		if !ok {
			t.Errorf("schemeCases has no %s", name)
			continue
		}
		dir := t.TempDir()
		good := strings.NewReplacer("HOST", "127.0.0.1:1", "FOLDER", dir).Replace(c.url)
		bad := map[string]string{
			"z" + good[1:]:               "did you mean " + name + "?",
			good + "&nonsense=1":         "nonsense: no such option",
			good + "&password=" + secret: "?password-file=FILE",
		}
		if c.option != "" {
			bad[good+"&"+c.option[:2]+c.option[3:]+"=1"] = "no such option; did you mean " + c.option + "?"
		}
		if before, host, ok := strings.Cut(good, "//"); ok {
			bad[before+"//me:"+secret+"@"+host[strings.IndexByte(host, '@')+1:]] = "a password in an address is seen by others on this machine; use ?password-file=FILE"
		}
		for url, want := range c.bad {
			bad[url] = want
		}
		for url, want := range bad {
			var out bytes.Buffer
			status := runMain([]string{"run", "-F", filepath.Join(dir, "flows"), "--export", url, sampleTrace}, nil, &out, &out)
			told := out.String()
			if status != 1 || !strings.Contains(told, want) || strings.Count(told, "\n") != 1 || strings.Contains(told, secret) {
				t.Errorf("%s: exit status %d\n%swant %s", url, status, told, want)
			}
			status, told = checkExports(t, `[{url: "`+url+`"}]`, false)
			if status == 0 || !strings.Contains(told, want) || strings.Contains(told, secret) {
				t.Errorf("%s: a manager's exit status %d\n%swant %s", url, status, told, want)
			}
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("%s: left behind: %v %v", name, entries, err)
		}
	}
}

// TestExportSpoolInUse: two programs cannot have one spool.
func TestExportSpoolInUse(t *testing.T) {
	t.Parallel()
	folder, community := filepath.Join(t.TempDir(), "spool"), filepath.Join(t.TempDir(), "community")
	putFile(t, community, "public")
	s, err := spool.Open(folder, spool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, args := range [][]string{
		{"run", "-q", "--export", awayPlace, "--spool", folder, sampleTrace},
		{"reader", "-m", "1", "--community-file", community, "--export", awayPlace, "--spool", folder, "127.0.0.1"},
		{"flows", "spool", "--send", folder},
	} {
		var out bytes.Buffer
		if status := runMain(args, nil, &out, &out); status != 1 || !strings.Contains(out.String(), folder+": another rtfm has this spool") {
			t.Errorf("%q: exit status %d, %s", args, status, &out)
		}
	}
}
