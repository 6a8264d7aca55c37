package mib

import (
	"rtfm/meter/series"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
)

// Meter is what a Handler shows and controls: its tables, its time, what it has
// counted and how far it is.
type Meter interface {
	FlowTable

	// Do runs f while the meter stands still: no packet is counted and nothing
	// else that runs by Do is under way. It returns when f has. The other
	// methods, those of FlowTable among them, are called from such an f only, but
	// for Prepare.
	Do(f func())
	// Spend tells that f has done so many operations, beside those of the
	// Meter's own methods. When the meter has stood still for long enough it lets
	// packets and others have it, and returns true once f has hold of it again:
	// what f has found may have changed. An operation takes some 30 nanoseconds.
	Spend(operations int) bool

	// Control returns the tables that managers and readers write. The Handler
	// changes rows by putting others in their place; the meter does the same
	// when readers time out or the flow table fills up.
	Control() *Control
	// Changed makes the meter do as the control tables now say.
	Changed()
	// Settle tells that what was changed will not be undone: the flows of
	// rulesets that are gone may be destroyed, a trace may go on.
	Settle()
	// Prepare does what it takes to run a ruleset, which may be long, or tells
	// why the meter cannot run it. The meter does not stand still for it.
	Prepare(rs *ruleset.RuleSet) (Program, error)
	// MakeRoom does some of what it takes until so many rulesets more may run,
	// should all that there are do, and reports whether that is all. What is in
	// the way are flows of rulesets that are gone.
	MakeRoom(ruleSets int) bool

	// Start and Now are the times from which the meter's Uptime counts and up
	// to which it has metered, in nanoseconds since 1970-01-01 00:00:00 UTC.
	Start() int64
	Now() int64
	// Identity, Counts and RuleSetCounts are for the extension.
	Identity() Identity
	Counts() Counts
	RuleSetCounts(index int) RuleSetCounts
	// SeriesFrom returns the first interval of the meter's series that has this number
	// or a later one, if there is any.
	SeriesFrom(number uint64) (series.Interval, bool)
	// FeedStatus tells of the meter's feed, which becomes what Control.Feed says when
	// the meter is told to Settle.
	FeedStatus() FeedStatus
	// Trace returns how far the meter is with its trace.
	Trace() Trace
	// Ending tells that the meter was told to end: it counts no more packets,
	// and its flows can be read for a last time.
	Ending() bool
}

// FlowTable is a Meter's flow table, to be read.
type FlowTable interface {
	// NextFlow fills f with the first flow of a ruleset (0: of any) in this row of
	// the flow table or a later one that was active at or after a time. It reuses
	// f, which must be zero or come from an earlier call. It returns the index of
	// the flow's ruleset, 0 if there is no such flow.
	NextFlow(ruleSet int, row uint32, since int64, f *match.Flow) int
	// Scan is NextFlow for one flow of a ruleset after the other: it calls
	// yield for each until it returns false.
	Scan(ruleSet int, row uint32, since int64, f *match.Flow, yield func() bool)
	// NextFlowID returns the flow that has this FlowID, or the first higher one, in order
	// of FlowID and index of its ruleset: of rulesets from this index on if it has just
	// this FlowID. The row is 0 if there is none.
	NextFlowID(id uint64, ruleSet int) FlowPlace
	// NextFeedFlow returns the flow that has this identifier in the feed, or the first
	// higher one. The row is 0 if there is none.
	NextFeedFlow(id uint64) FlowPlace
	// PrefetchNext prefetches the flows after these, which NextFlow has found: they are
	// likely to be asked for next.
	PrefetchNext(rows []uint32)
	// Flows returns the number of flows of a ruleset, 0 means all, and
	// MaxFlows the size of the flow table.
	Flows(ruleSet int) int
	MaxFlows() int
}

// FlowPlace is where a flow is that has a FlowID, or an identifier in the feed.
type FlowPlace struct {
	ID        uint64
	RuleSet   int    // index
	Row       uint32 // of the flow table
	FirstTime int64  // nanoseconds since 1970-01-01 00:00:00 UTC
}

// Program is a ruleset that a Meter has prepared to run.
type Program interface {
	// Forms is how many more rules would take as much memory.
	Forms() int
}

// Identity tells one run of a meter from another.
type Identity struct {
	Version string
	// Boot is a number made at random when the meter started.
	Boot [8]byte
}

// Counts is what a meter has counted since it was started.
type Counts struct {
	Packets, Octets                              uint64
	CutShort, Malformed, UnknownLink, BackInTime uint64
	Lost                                         uint64
	// Duplicates are packets that were found to be copies of others, SampledOut
	// those that sampling passed over, Filtered those that the meter's filter left
	// out: the latter two are not among Packets.
	Duplicates, SampledOut, Filtered uint64
	// Outliers are packets whose time was more than an hour ahead, Clamped those
	// whose time was before 1970 or after 2262.
	Outliers, Clamped            uint64
	FlowsCreated, FlowsRecovered uint64
	// Decapsulated are packets that count as what they carry in a tunnel. Those that
	// stay what they are: fragments, those not captured as far as the headers within,
	// and those that are not as their kind is specified to be.
	Decapsulated, EnvelopeFragments, EnvelopesCut, EnvelopesUnknown uint64
	// DuplicatesRouted are those of Duplicates that a router has passed on.
	DuplicatesRouted uint64
	// Floods is how often the meter has entered flood mode.
	Floods uint64
	// Streams in use, those that were begun and that have ended, and packets that
	// are in none because there were too many.
	StreamsActive, StreamsCreated, StreamsEnded, Unstreamed uint64
	// Memory is what the meter has from the operating system, in octets.
	Memory uint64
}

// RuleSetCounts is what became of the packets that a ruleset has seen.
type RuleSetCounts struct {
	// Packets that were run through the ruleset: the sum of those below.
	Packets uint64
	// Matched packets are in a flow. Ignored ones were left out by an Ignore
	// rule; Unmatched ones matched in neither direction; Stopped ones hit a
	// limit of the Packet Matching Engine; Uncounted ones found no room in the
	// flow table.
	Matched, Ignored, Unmatched, Stopped, Uncounted uint64
}

// TraceState is how far a meter is that meters a trace in step with a manager.
type TraceState int32

// The states.
const (
	TraceNone              TraceState = 1 // meters for itself: live, or a trace without intervals
	TraceWaitingForRuleSet TraceState = 2 // has not begun: no task runs a ruleset
	TraceReading           TraceState = 3 // packets are being metered
	TraceWaitingForReader  TraceState = 4 // an interval has ended; its flows are to be read
	TraceEnded             TraceState = 5 // the last packet was metered; its flows are to be read
)

// Trace is the state of metering a trace.
type Trace struct {
	State TraceState
	// Collections is the number of intervals that have ended, From and To the
	// ends of the latest, in nanoseconds since 1970-01-01 00:00:00 UTC.
	Collections uint64
	From, To    int64
	// Collected is the number of intervals, the last one included, whose flows
	// were read: a manager has let the trace go on, or end.
	Collected uint64
	// PassedOver is the number of empty intervals just before the latest that
	// were passed over.
	PassedOver int64
}

// Notification is one of the extension's notifications.
type Notification struct {
	Kind NotificationKind
	// Identity is the meter's, for MeterStarted.
	Identity Identity
	// Index is of the row it is about: the manager's for Standby and
	// StandbyOver, the reader's for ReaderTimedOut, the interface's for
	// PacketsLost, the ruleset's for TableFull.
	Index int
	// RuleSet is the task's current one, for Standby and StandbyOver, that of
	// the reader, or that whose packets found the table full.
	RuleSet int
	// StandbyRuleSet is the task's, for Standby and StandbyOver; 0 if it has none.
	StandbyRuleSet int
	// Owner is the row's, for Standby, StandbyOver and ReaderTimedOut.
	Owner string
	// Count is the number of flows in the flow table, for those of standby and
	// flood, or that of packets lost, or in no flow, since the meter started.
	Count uint64
}

// NotificationKind is the last sub-identifier of a notification's name.
type NotificationKind uint32

// The notifications.
const (
	MeterStarted   NotificationKind = 1
	Standby        NotificationKind = 2
	Flood          NotificationKind = 3
	ReaderTimedOut NotificationKind = 4
	PacketsLost    NotificationKind = 5
	StandbyOver    NotificationKind = 6
	FloodOver      NotificationKind = 7
	TableFull      NotificationKind = 8
)
