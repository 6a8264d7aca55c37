package cmd

import (
	"context"
	"log/slog"
	"strings"

	"rtfm/mib"
	"rtfm/ruleset"
)

// events are the notifications as the log tells them.
var events = map[mib.NotificationKind]string{
	mib.MeterStarted:   "meter started",
	mib.Standby:        "task switched to its standby ruleset",
	mib.Flood:          "flood mode entered",
	mib.ReaderTimedOut: "reader timed out",
	mib.PacketsLost:    "packets lost",
	mib.StandbyOver:    "task no longer on its standby ruleset",
	mib.FloodOver:      "flood mode ended",
	mib.TableFull:      "flow table full: packets are in no flow",
}

// about returns what an event's log entry says besides what happened.
func about(n mib.Notification) []slog.Attr {
	flows := slog.Uint64("flows", n.Count)
	switch n.Kind {
	case mib.Standby, mib.StandbyOver:
		return []slog.Attr{slog.Int("task", n.Index), slog.Int("ruleset", n.RuleSet), slog.Int("standby", n.StandbyRuleSet), slog.String("owner", n.Owner), flows}
	case mib.Flood, mib.FloodOver:
		return []slog.Attr{flows}
	case mib.ReaderTimedOut:
		return []slog.Attr{slog.Int("reader", n.Index), slog.Int("ruleset", n.RuleSet), slog.String("owner", n.Owner)}
	case mib.TableFull:
		return []slog.Attr{slog.Int("ruleset", n.RuleSet), slog.Uint64("packets", n.Count)}
	case mib.PacketsLost:
		return []slog.Attr{slog.Int("interface", n.Index), slog.Uint64("packets", n.Count)}
	}
	return nil
}

// notify logs an event and tells it to the AgentX master and to those who get traps.
func (f *fronts) notify(log *slog.Logger, n mib.Notification) {
	level, event := slog.LevelWarn, events[n.Kind]
	switch {
	case n.Kind == mib.MeterStarted || n.Kind == mib.StandbyOver || n.Kind == mib.FloodOver:
		level = slog.LevelInfo
	case n.Kind == mib.Standby && n.StandbyRuleSet == 0:
		event = "task stopped: it has no standby ruleset"
	}
	log.LogAttrs(context.Background(), level, event, about(n)...)
	name, vars := n.Bindings()
	if f.agent != nil {
		f.agent.Notify(name, vars...)
	}
	for _, s := range f.sinks {
		s.Notify(name, vars...)
	}
}

// logPrepared logs what is odd about a ruleset that a manager makes active, or why it
// does not become so: all that SNMP can say is inconsistentValue.
func logPrepared(log *slog.Logger, rs *ruleset.RuleSet, warnings []string, err error) {
	about := []any{"ruleset", rs.Number, "name", rs.Name}
	switch {
	case err != nil:
		first, _, _ := strings.Cut(err.Error(), "\n")
		log.Warn("ruleset refused", append(about, "error", first)...)
	case len(warnings) > 0:
		log.Warn("ruleset with rules that hardly do what was wanted", append(about, "warnings", len(warnings), "first", warnings[0])...)
	}
}
