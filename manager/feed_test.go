package manager

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/mib"
	"rtfm/mib/client"
)

const feedConfig = `
defaults:
  snmp: {community: {env: RTFM_TEST_SECRET}}
  tasks: [{rules: all.srl}]
  feed:
    url: udp://classifier.example.net
    rules: all
    first: 30
    delay: 5ms
    idle: 2m
    mtu: 9000
    queue: 1GiB
    id: 32
    digest: true
meters:
- address: a
- address: b
  feed: {domain: 4294967295, rules: coarse}
  tasks: [{rules: all.srl, standby: coarse.rules}]
- address: c
  feed: {url: none}
`

// TestLoadFeed loads what meters' feeds are to be.
func TestLoadFeed(t *testing.T) {
	c, _, err := parseConfig(filepath.Join(configDir(t), "rtfm.yaml"), []byte(feedConfig))
	if err != nil {
		t.Fatal(err)
	}
	want := mib.Feed{
		URL: "udp://classifier.example.net", IDBits: 32, MTU: 9000, Delay: 5, Idle: 120, Queue: 1 << 20, First: 30, Rules: "all", Digest: true,
	}
	if f := c.Meters[0].Feed; f.Feed != want || f.None {
		t.Errorf("the first feed is %+v, want %+v", *f, want)
	}
	other := want
	other.Domain, other.Rules = 1<<32-1, "coarse"
	if f := c.Meters[1].Feed; f.Feed != other {
		t.Errorf("the second feed is %+v, want %+v", *f, other)
	}
	if f := c.Meters[2].Feed; !f.None || f.URL != "" {
		t.Errorf("the third feed is %+v, want none", *f)
	}
}

// TestFeedFaults wants what is wrong with a feed to be told, with its place.
func TestFeedFaults(t *testing.T) {
	dir := configDir(t)
	for feed, want := range map[string]string{
		"{url: 'udp://h/x'}":               `5:15: "udp://h/x": `,
		"{url: 'file:/etc/passwd'}":        "a manager can set feeds to udp: and tcp: only",
		"{url: 'unix:/run/x'}":             "a manager can set feeds to udp: and tcp: only",
		"{url: 'udp://h', first: -1}":      `5:33: "-1": want a number from 0 to 4294967295`,
		"{url: 'udp://h', id: 48}":         `5:30: "48": want 64, 32`,
		"{url: 'udp://h', queue: 64}":      `5:33: "64": want a size from`,
		"{url: 'udp://h', queue: 1000GiB}": `5:33: "1000GiB": want a size from`,
		"{url: 'udp://h', mtu: 100}":       `5:31: "100": want a number from`,
		"{url: 'udp://h', delay: 2h}":      `5:33: "2h": want a time from 0s to 1m`,
		"{url: 'udp://h', idel: 2}":        `5:26: feed has no "idel"; did you mean "idle"?`,
		"{first: 30}":                      `2:3: meter a has a "feed" without "url"`,
		"{url: 'udp://h', rules: al}":      `2:3: meter a has no ruleset "al", of which its feed is to tell; did you mean "all"?`,
		"5":                                "5:9: feed has to be keys",
	} {
		text := "meters:\n- address: a\n  snmp: {community: {file: secret}}\n  tasks: [{rules: all.srl}]\n  feed: " + feed + "\n"
		_, _, err := parseConfig(filepath.Join(dir, "rtfm.yaml"), []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n%v\nwant %s", feed, err, want)
		}
	}
}

// TestSetFeed sets the feed of a meter, which somebody else changes, and ends it.
func TestSetFeed(t *testing.T) {
	l := startMeter(t, "", 100)
	c := l.dial()
	m := testMeter(l)
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
	m.Feed = &Feed{Feed: mib.DefaultFeed()}
	m.Feed.URL, m.Feed.First, m.Feed.Rules = "udp://127.0.0.1:22701", 30, "all"
	is := func(want mib.Feed) {
		t.Helper()
		if f, err := c.Feed(t.Context()); err != nil || f.Feed != want {
			t.Errorf("the feed is %+v, %v, want %+v", f, err, want)
		}
	}
	k := bringTo(t, c, m)
	is(m.Feed.Feed)
	other := m.Feed.Feed
	other.Domain, other.Digest = 7, true
	if err := c.SetFeed(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	is(other)
	if _, err := k.watch(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	is(m.Feed.Feed)
	if err := k.endFeed(t.Context()); err != nil {
		t.Fatal(err)
	}
	is(mib.DefaultFeed())
}

// TestFeedRestart restarts a meter, whose feed is set again, before its task starts.
func TestFeedRestart(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 1000)
	m := testMeter(l)
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
	m.Feed = &Feed{Feed: mib.DefaultFeed()}
	m.Feed.URL = "tcp://127.0.0.1:22701"
	r := startManager(t, Options{Remove: true}, m)
	r.wait("task started", 1)
	l.stop()
	l = startMeter(t, l.address, 1000)
	r.wait("task started", 2)
	var events []string
	for line := range strings.Lines(r.log.String()) {
		for _, event := range []string{"feed is set", "task started"} {
			if strings.Contains(line, event) {
				events = append(events, event)
			}
		}
	}
	if got := strings.Join(events, ", "); got != "feed is set, task started, feed is set, task started" {
		t.Errorf("the log has %s", got)
	}
	r.stop()
	if f, err := l.dial().Feed(t.Context()); err != nil || f.Feed != mib.DefaultFeed() {
		t.Errorf("the manager has left the feed %+v, %v", f, err)
	}
}

// TestFeedRefused manages a meter that has a feed of its own, and one that has no such
// objects: both are told, once.
func TestFeedRefused(t *testing.T) {
	for name, start := range map[string]func() *loopMeter{
		"its own": func() *loopMeter {
			l := startMeter(t, "", 100)
			l.meter.Do(func() { l.meter.Control().Feed.URL = "file:x" })
			return l
		},
		"older": func() *loopMeter { return startForeign(t, "", 100) },
	} {
		l := start()
		m := testMeter(l)
		m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
		m.Feed = &Feed{Feed: mib.DefaultFeed()}
		m.Feed.URL = "udp://127.0.0.1:22701"
		var log logBuffer
		k := bringTo(t, l.dial(), m)
		k.log, k.feedRefused = slog.New(slog.NewTextHandler(&log, nil)), false
		for range 3 {
			if _, err := k.watch(t.Context(), time.Now()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := k.endFeed(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Count(log.String(), "level=WARN") != 1 {
			t.Errorf("%s: the log is\n%s", name, log.String())
		}
	}
}

// TestTellFeed tells what has gone wrong with a feed, once each.
func TestTellFeed(t *testing.T) {
	var log logBuffer
	k := &control{log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, s := range []mib.FeedStatus{
		{State: mib.FeedOpen, DroppedMessages: 5, DroppedRecords: 50},
		{State: mib.FeedOpening, Error: "no such host", DroppedMessages: 5, DroppedRecords: 50},
		{State: mib.FeedOpening, Error: "no such host", DroppedMessages: 7, DroppedRecords: 70},
		{State: mib.FeedOpen, Error: "no such host", DroppedMessages: 7, DroppedRecords: 70},
		{DroppedMessages: 1}, // it was restarted
	} {
		k.tellFeed(&client.Feed{FeedStatus: s})
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
		_, what, _ := strings.Cut(line, "msg=")
		got = append(got, what)
	}
	want := []string{
		`"the meter's feed is not open" url="" error="no such host"`,
		`"the meter has dropped messages of its feed" messages=2 records=20`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told %q, want %q", got, want)
	}
}
