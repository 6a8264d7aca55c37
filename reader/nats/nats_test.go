package nats

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/reader/export"
)

func parse(url string) (export.Exporter, error) {
	target, s, err := export.Parse(url, []export.Scheme{{Name: "nats", Hosts: true, Port: "4222", Options: Options, New: New}})
	if err != nil {
		return nil, err
	}
	return s.New(target)
}

// TestURLs: what is wrong with a URL, or its files, is told, and no secret.
func TestURLs(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("xyzzy"), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"nats://a":                            "want nats://HOST/STREAM, and a name without / \\ . * > and blanks",
		"nats://a/b/c":                        "want nats://HOST/STREAM, and a name without / \\ . * > and blanks",
		"nats://a/b.c":                        "want nats://HOST/STREAM, and a name without / \\ . * > and blanks",
		"nats:b":                              "want nats://HOST...",
		"nats://a,,b/F":                       "want a host behind //, or between commas",
		"nats://me:xyzzy@a/F":                 "a password in an address is seen by others on this machine; use ?password-file=FILE",
		"nats://a/F?password=xyzzy":           "a password in an address is seen by others on this machine; use ?password-file=FILE",
		"nats://a/F?tsl":                      "tsl: no such option; did you mean tls?",
		"nats://a/F?tls=no":                   "tls=no: want tls alone",
		"nats://a/F?create=yes":               "create=yes: want create alone",
		"nats://a/F?replicas=3":               "replicas is for a stream that is created: it needs create",
		"nats://a/F?create&replicas=6":        "replicas=6: want a number from 1 to 5",
		"nats://a/F?create&keep=1&window=2":   "window=2: want a time such as 60s",
		"nats://a/F?create&keep=1&window=25h": "window=25h: want no more than rows are kept for",
		"nats://a/F?compression=gzip":         "compression=gzip: want one of zstd, none",
		"nats://a/F?timeout=0s":               "timeout=0s: want a time such as 60s",
		"nats://a/F?password-file=/none/no":   "password-file: open /none/no: no such file or directory",
		"nats://a/F?creds=/none/no":           "creds: open /none/no: no such file or directory",
		"nats://a/F?creds=" + secret:          "creds: " + secret + " has no NATS user JWT",
		"nats://a/F?ca=" + secret:             "ca: " + secret + " has no certificate in PEM",
		"nats://me@a/F?creds=" + secret:       "creds tell who this is: want no user and no password-file",
	} {
		if _, err := parse(url); err == nil || !strings.Contains(err.Error(), ": "+want) || strings.Contains(err.Error(), "xyzzy") {
			t.Errorf("%s: %v\nwant %s", url, err, want)
		}
	}
	for _, url := range []string{"nats://a/F", "nats://me@a,b:99/F?password-file=" + secret, "nats://a/F?create&replicas=3&keep=30&window=1h&tls&monitor=a,b:88"} {
		if _, err := parse(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, test := range []struct {
		subject, other string
		want           bool
	}{
		{"rtfm.flows.1.>", "rtfm.flows.1.>", true},
		{"rtfm.flows.>", "rtfm.flows.1.>", true},
		{"rtfm.>", "rtfm.flows.1.>", true},
		{">", "rtfm.flows.1.>", true},
		{"*.*.>", "rtfm.flows.1.>", true},
		{"rtfm.flows.1.*", "rtfm.flows.1.>", false},
		{"rtfm.flows.1", "rtfm.flows.1.>", false},
		{"rtfm.flows.1.*.*", "rtfm.flows.1.>", false},
		{"rtfm.flows.2.>", "rtfm.flows.1.>", false},
		{"rtfm.flows.1.gw.>", "rtfm.flows.1.>", false},
	} {
		if got := covers(test.subject, test.other); got != test.want {
			t.Errorf("covers(%q, %q) is %t", test.subject, test.other, got)
		}
	}
}

func TestToken(t *testing.T) {
	for name, want := range map[string]string{
		"gw1": "gw1", "10.0.0.1": "10_0_0_1", "@services": "@services", "a b*>\n": "a_b___", "": "_", "ü": "__",
		strings.Repeat("x", 300): strings.Repeat("x", 100),
	} {
		if got := token(name); got != want {
			t.Errorf("token(%q) is %q, not %q", name, got, want)
		}
	}
}

// TestSync: what a server's monitoring tells of how often it syncs.
func TestSync(t *testing.T) {
	for text, want := range map[string]string{
		`{"jetstream":{"config":{"sync_interval":120000000000}}}`:                    "2m0s",
		`{"jetstream":{"config":{"sync_interval":120000000000,"sync_always":true}}}`: "",
		`{"jetstream":{}}`:   "n1/varz tells nothing of JetStream",
		`{"jetstream":null}`: "n1/varz tells nothing of JetStream",
		`<html>`:             "n1/varz: invalid character '<' looking for beginning of value",
	} {
		got, err := parseSync("n1", []byte(text))
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, not %q", text, got, want)
		}
	}
}
