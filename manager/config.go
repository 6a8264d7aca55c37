package manager

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rtfm/reader"
	"rtfm/ruleset"
)

// Config is what a manager does: it is what a configuration file says.
type Config struct {
	Meters []*Meter // in the order of the file; no two have one name or output file
}

// Meter is what a manager does with one meter.
type Meter struct {
	Name    string // in flow data files and messages
	Address string // host:port
	SNMP    SNMP
	// Owner is written into all rows that the manager creates; rows of the
	// same owner are taken to be the manager's own.
	Owner string
	Rows  Rows
	// Tasks are those to be run; none are if it is empty.
	Tasks []Task
	// FloodMark in percent and InactivityTimeout in seconds are the meter's;
	// nil leaves them as they are.
	FloodMark, InactivityTimeout *int
	// Sampling has, by the number of an interface, N to meter one of N packets
	// there, 0 for none.
	Sampling map[int]int
	// Feed is what the meter tells of each packet, and to whom; nil leaves it as it is.
	Feed *Feed

	// Interval lies between collections, FloodInterval while the meter runs a
	// standby ruleset or its flow table is flooded.
	Interval, FloodInterval time.Duration
	// Keepalive is how often the meter is asked whether all is well.
	Keepalive time.Duration
	// ReaderTimeout is how long the meter keeps flows for a manager that does
	// not come to collect them; 0 for ever.
	ReaderTimeout time.Duration
	// MaxFlows is how many flows a collection may have; it bounds what a meter
	// can make the manager write and remember.
	MaxFlows int
	// Trace makes collections whenever the meter, which meters a trace in
	// step, has come to the end of an interval; Interval is not used.
	Trace bool

	Output string // name of the flow data file
	JSON   bool   // JSON lines instead of NeMaC's text
	// Exports are URLs of places that collections are sent to from the Spool.
	Exports  []string
	Spool    Spool
	Location *time.Location // of times of day in schedules and intervals
}

// SNMP says how to speak to a meter: with a community by SNMPv2c, else with a
// user by SNMPv3.
type SNMP struct {
	Community Secret

	User         string
	Context      string
	AuthProtocol string // SHA-224, SHA-256, SHA-384, SHA-512 or ""
	AuthPassword Secret
	PrivProtocol string // AES-128, AES-192, AES-256 or ""
	PrivPassword Secret

	// Timeout is for one request, which is sent again Retries times.
	Timeout time.Duration
	Retries int
}

// Rows are the indexes that the manager may give to rows it creates.
type Rows struct {
	RuleSets, Tasks, Readers Range
}

// Range is a range of row indexes, both ends included.
type Range struct{ First, Last int }

// Contains reports whether i is in the range.
func (r Range) Contains(i int) bool { return r.First <= i && i <= r.Last }

// Task is what the meter counts.
type Task struct {
	// RuleSet runs when no turn does, Standby when the flow table is full to
	// HighWaterMark percent, until it has room again. Both may be nil.
	RuleSet, Standby *ruleset.RuleSet
	HighWaterMark    int // 0 for never
	Turns            []Turn
}

// Turn is a ruleset for certain times.
type Turn struct {
	When    []When
	RuleSet *ruleset.RuleSet
}

// Current returns the ruleset that the task is to run at a time, nil for none:
// that of the first turn which has it.
func (t *Task) Current(at time.Time) *ruleset.RuleSet {
	for _, turn := range t.Turns {
		if slices.ContainsFunc(turn.When, func(w When) bool { return w.Contains(at) }) {
			return turn.RuleSet
		}
	}
	return t.RuleSet
}

// RuleSets returns all rulesets that the meter may come to run, each once,
// those for standby last.
func (m *Meter) RuleSets() []*ruleset.RuleSet {
	var all []*ruleset.RuleSet
	add := func(rs *ruleset.RuleSet) {
		if rs != nil && !slices.Contains(all, rs) {
			all = append(all, rs)
		}
	}
	for i := range m.Tasks {
		t := &m.Tasks[i]
		add(t.RuleSet)
		for _, turn := range t.Turns {
			add(turn.RuleSet)
		}
	}
	for i := range m.Tasks {
		add(m.Tasks[i].Standby)
	}
	return all
}

// Defaults returns a meter that has what a configuration file need not say.
func Defaults() Meter {
	return Meter{
		SNMP:          SNMP{Timeout: 2 * time.Second, Retries: 3},
		Rows:          Rows{RuleSets: Range{2, ruleset.MaxRuleSets}, Tasks: Range{1, 1000}, Readers: Range{1, 1000}},
		Interval:      5 * time.Minute,
		Keepalive:     time.Minute,
		ReaderTimeout: 24 * time.Hour,
		MaxFlows:      reader.DefaultMaxFlows,
		Output:        "{name}.flows",
		Spool:         defaultSpool,
		Location:      time.Local,
	}
}

// statistics reports whether a ruleset asks for statistics in the flow data file.
func (m *Meter) statistics() bool {
	return slices.ContainsFunc(m.RuleSets(), func(rs *ruleset.RuleSet) bool { return rs.Statistics })
}

// parameters returns what the meter is asked for as the header of a flow data
// file shows it, in NeMaC's options.
func (m *Meter) parameters() string {
	var p []string
	if m.Trace {
		p = append(p, "-C")
	} else {
		p = append(p, fmt.Sprintf("-c%v", m.Interval.Seconds()))
	}
	for i := range m.Tasks {
		t := &m.Tasks[i]
		for _, turn := range t.Turns {
			p = append(p, "-r", turn.RuleSet.Name)
		}
		if t.RuleSet != nil {
			p = append(p, "-r", t.RuleSet.Name)
		}
		if t.Standby != nil {
			p = append(p, "-e", t.Standby.Name)
		}
	}
	return strings.Join(p, " ")
}
