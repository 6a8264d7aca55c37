package mib

import (
	"strings"
	"testing"
)

// oneRule writes the only rule of ruleset 2 and activates that.
const (
	oneRule = `
		set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 1
		set 3.1.1.3.2.1 = i 8  3.1.1.4.2.1 = h ff  3.1.1.5.2.1 = h 00  3.1.1.6.2.1 = i 4  3.1.1.7.2.1 = i 0
	`
	ready = oneRule + `
		set 1.1.1.5.2 = i 1
	`
)

// TestClauses holds the MIB to what the DESCRIPTIONs of RFC 2720 and the
// RowStatus of RFC 2579 say.
func TestClauses(t *testing.T) {
	for _, c := range []struct{ clause, script string }{
		{"download: create, set the size, write the rules, activate", `
			set 1.1.1.5.2 = i 5
			get 1.1.1.5.2 = i 3      # notReady: it has no rules
			set 1.1.1.2.2 = i 2  1.1.1.6.2 = s WWW-FLOWS  1.1.1.3.2 = s me
			get 1.1.1.5.2 = i 3      # nor have they been written
			set 3.1.1.3.2.1 = i 8  3.1.1.4.2.1 = h ff  3.1.1.5.2.1 = h 01  3.1.1.6.2.1 = i 12  3.1.1.7.2.1 = i 2
			get 1.1.1.5.2 = i 3
			get 3.1.1.6.2.1 = i 12
			get 3.1.1.6.2.2 = - -
			set 3.1.1.3.2.2 = i 0  3.1.1.4.2.2 = h 00  3.1.1.5.2.2 = h 00  3.1.1.6.2.2 = i 3  3.1.1.7.2.2 = i 0
			get 1.1.1.5.2 = i 2      # notInService
			set 1.1.1.5.2 = i 1
			get 1.1.1.5.2 = i 1
			get 1.1.1.2.2 = i 2
			get 1.1.1.3.2 = s me
			get 1.1.1.6.2 = s WWW-FLOWS
			get 1.1.1.8.2 = i 0
			get 3.1.1.3.2.1 = i 8
			get 3.1.1.4.2.1 = h ff
			get 3.1.1.5.2.1 = h 01
			get 3.1.1.7.2.1 = i 2
		`},
		{"a ruleset created, written, activated and run in one Set, in any order", `
			set 1.4.1.2.7 = i 2  3.1.1.6.2.1 = i 4  1.4.1.8.7 = i 4  3.1.1.4.2.1 = h ff  1.1.1.2.2 = i 1  3.1.1.3.2.1 = i 8  1.1.1.5.2 = i 4
			get 1.1.1.5.2 = i 1
			get 1.4.1.8.7 = i 1
			get 1.4.1.2.7 = i 2
			get 3.1.1.5.2.1 = h 00
			get 3.1.1.7.2.1 = i 0
		`},
		{"flowRuleInfoSize allocates, and keeps the rules there are", oneRule + `
			set 1.1.1.2.2 = i 3
			get 3.1.1.6.2.1 = i 4
			get 3.1.1.6.2.2 = - -
			get 1.1.1.5.2 = i 3
			set 1.1.1.2.2 = i 65535
			set 1.1.1.2.2 = i 65536 ! resourceUnavailable 1
			set 1.1.1.2.2 = i -1 ! wrongValue 1
			set 1.1.1.2.2 = i 0
			get 3.1.1.6.2.1 = - -
		`},
		{"flowRuleInfoTimeStamp: when the ruleset was last changed", `
			at 7000
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 1
			get 1.1.1.4.2 = t 7000
			at 8000
			set 3.1.1.6.2.1 = i 1
			get 1.1.1.4.2 = t 8000
			set 1.1.1.4.2 = t 1 ! notWritable 1
		`},
		{"active: neither the other variables nor the rules can be changed: notWritable", ready + `
			set 1.1.1.2.2 = i 1 ! notWritable 1
			set 1.1.1.3.2 = s you ! notWritable 1
			set 1.1.1.6.2 = s name ! notWritable 1
			set 1.1.1.7.2 = i 2 ! notWritable 1
			set 3.1.1.3.2.1 = i 8 ! notWritable 1
			set 3.1.1.4.2.1 = h ff ! notWritable 1
			set 3.1.1.5.2.1 = h ff ! notWritable 1
			set 3.1.1.6.2.1 = i 1 ! notWritable 1
			set 3.1.1.7.2.1 = i 1 ! notWritable 1
			set 1.1.1.5.2 = i 1  3.1.1.6.2.1 = i 1 ! notWritable 2
			set 1.1.1.5.2 = i 1                     # is that already
			set 1.1.1.5.2 = i 2  3.1.1.6.2.1 = i 1  # no longer active
			get 3.1.1.6.2.1 = i 1
			get 1.1.1.5.2 = i 2
		`},
		{"the status cannot leave active while a task refers to the ruleset", ready + `
			set 1.4.1.8.1 = i 4  1.4.1.2.1 = i 2
			set 1.1.1.5.2 = i 2 ! inconsistentValue 1
			set 1.1.1.5.2 = i 6 ! inconsistentValue 1
			set 1.4.1.2.1 = i 0  1.4.1.3.1 = i 2
			set 1.1.1.5.2 = i 6 ! inconsistentValue 1
			set 1.4.1.3.1 = i 0
			set 1.4.1.8.1 = i 2
			set 1.4.1.2.1 = i 2
			set 1.1.1.5.2 = i 6 ! inconsistentValue 1
			set 1.1.1.5.2 = i 6  1.4.1.8.1 = i 6
			get 1.1.1.5.2 = - -
			get 3.1.1.6.2.1 = - -
		`},
		{"RulesReady: true freezes the rules, and activation needs it", oneRule + `
			get 1.1.1.7.2 = i 2
			set 1.1.1.5.2 = i 1  1.1.1.7.2 = i 2 ! inconsistentValue 2
			set 1.1.1.7.2 = i 1
			get 1.1.1.5.2 = i 2
			set 3.1.1.6.2.1 = i 1 ! notWritable 1
			set 1.1.1.2.2 = i 2 ! notWritable 1
			set 1.1.1.7.2 = i 2  3.1.1.6.2.1 = i 3
			get 3.1.1.6.2.1 = i 3
			set 1.1.1.5.2 = i 1
			get 1.1.1.7.2 = i 1
			set 1.1.1.5.2 = i 2
			get 1.1.1.7.2 = i 2
		`},
		{"the meter does not take what it cannot run", `
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 2
			set 1.1.1.5.2 = i 1 ! inconsistentValue 1
			set 1.1.1.5.2 = i 2 ! inconsistentValue 1
			set 3.1.1.6.2.1 = i 10  3.1.1.7.2.1 = i 9  3.1.1.6.2.2 = i 1
			set 1.1.1.5.2 = i 1 ! inconsistentValue 1
			set 1.1.1.5.2 = i 1  3.1.1.7.2.1 = i 2
			get 1.1.1.5.2 = i 1
			get 3.1.1.7.2.1 = i 2
		`},
		{"the status is judged by the rules that come with it", `
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 1
			set 3.1.1.6.2.1 = i 4  1.1.1.5.2 = i 2
			get 1.1.1.5.2 = i 2
			set 3.1.1.3.2.1 = i 0  1.1.1.5.2 = i 6
			get 1.1.1.5.2 = - -
			set 1.1.1.5.2 = i 4 ! inconsistentValue 1
		`},
		{"the built-in ruleset cannot be changed", `
			get 1.1.1.5.1 = i 1
			get 1.1.1.6.1 = s default
			get 1.1.1.2.1 = i 3
			get 3.1.1.6.1.1 = i 11
			get 3.1.1.4.1.1 = h 00
			set 1.1.1.5.1 = i 6 ! notWritable 1
			set 1.1.1.5.1 = i 2 ! notWritable 1
			set 1.1.1.5.1 = i 4 ! notWritable 1
			set 1.1.1.6.1 = s mine ! notWritable 1
			set 3.1.1.6.1.1 = i 1 ! notWritable 1
		`},
		{"rules: values", `
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 3
			set 3.1.1.3.2.1 = i 55
			set 3.1.1.3.2.1 = i 50
			set 3.1.1.3.2.1 = i 1026
			set 3.1.1.3.2.1 = i 27 ! wrongValue 1   # ToOctets: only read
			set 3.1.1.3.2.1 = i 10 ! wrongValue 1   # a mask
			set 3.1.1.3.2.1 = i 45 ! wrongValue 1
			set 3.1.1.3.2.1 = i -1 ! wrongValue 1
			set 3.1.1.3.2.1 = i 65536 ! wrongValue 1
			set 3.1.1.3.2.1 = s x ! wrongType 1
			set 3.1.1.4.2.1 = h 01
			set 3.1.1.4.2.1 = h 0102030405060708090a0b0c0d0e0f1011121314
			get 3.1.1.4.2.1 = h 0102030405060708090a0b0c0d0e0f1011121314
			set 3.1.1.4.2.1 = h 0102030405060708090a0b0c0d0e0f101112131415 ! wrongLength 1
			set 3.1.1.4.2.1 = s '' ! wrongLength 1
			set 3.1.1.4.2.1 = i 1 ! wrongType 1
			set 3.1.1.5.2.1 = s '' ! wrongLength 1
			set 3.1.1.5.2.1 = h 0102
			get 3.1.1.5.2.1 = h 0102
			set 3.1.1.6.2.1 = i 0 ! wrongValue 1
			set 3.1.1.6.2.1 = i 18 ! wrongValue 1
			set 3.1.1.7.2.1 = i 65535
			set 3.1.1.7.2.1 = i 65536 ! wrongValue 1
			set 3.1.1.7.2.1 = i -1 ! wrongValue 1
		`},
		{"rules: where there can be none", `
			set 3.1.1.6.2.1 = i 1 ! inconsistentName 1
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 3
			set 3.1.1.6.2.4 = i 1 ! inconsistentName 1
			set 3.1.1.6.2.3 = i 1  1.1.1.2.2 = i 2 ! inconsistentName 1
			set 3.1.1.6.2.4 = i 1  1.1.1.2.2 = i 4
			set 3.1.1.6.2.0 = i 1 ! noCreation 1
			set 3.1.1.6.2.65536 = i 1 ! noCreation 1
			set 3.1.1.6.256.1 = i 1 ! noCreation 1
			set 3.1.1.6.0.1 = i 1 ! noCreation 1
			set 3.1.1.6.2 = i 1 ! noCreation 1
			set 3.1.1.6.2.1.1 = i 1 ! noCreation 1
			set 3.1.1.2.2.1 = i 1 ! notWritable 1
		`},
		{"RowStatus of a row that is not there", `
			set 1.3.1.6.5 = i 1 ! inconsistentValue 1
			set 1.3.1.6.5 = i 2 ! inconsistentValue 1
			set 1.3.1.6.5 = i 3 ! wrongValue 1
			set 1.3.1.6.5 = i 0 ! wrongValue 1
			set 1.3.1.6.5 = i 7 ! wrongValue 1
			set 1.3.1.6.5 = s x ! wrongType 1
			set 1.3.1.6.5 = i 6
			set 1.3.1.2.5 = i 60 ! inconsistentName 1
			set 1.3.1.6.5 = i 4 ! inconsistentValue 1      # RuleSet is missing
			set 1.3.1.6.5 = i 4  1.3.1.7.5 = i 1
			get 1.3.1.6.5 = i 1
			set 1.3.1.6.6 = i 5
			get 1.3.1.6.6 = i 3
			set 1.3.1.6.0 = i 4 ! noCreation 1
			set 1.3.1.6.2147483648 = i 4 ! noCreation 1
			set 1.3.1.6.2147483647 = i 5
			set 1.3.1.6 = i 4 ! noCreation 1
			set 1.3.1.6.1.1 = i 4 ! noCreation 1
			set 1.1.1.5.256 = i 5 ! noCreation 1            # flowDataRuleSet ends at 255
			set 1.1.1.5.255 = i 5
		`},
		{"RowStatus of a row that is notReady", `
			set 1.3.1.6.5 = i 5
			set 1.3.1.6.5 = i 4 ! inconsistentValue 1
			set 1.3.1.6.5 = i 5 ! inconsistentValue 1
			set 1.3.1.6.5 = i 1 ! inconsistentValue 1
			set 1.3.1.6.5 = i 2 ! inconsistentValue 1
			set 1.3.1.6.5 = i 3 ! wrongValue 1
			set 1.3.1.6.5 = i 2  1.3.1.7.5 = i 1
			get 1.3.1.6.5 = i 2
			set 1.3.1.6.6 = i 5
			set 1.3.1.7.6 = i 1  1.3.1.6.6 = i 1
			get 1.3.1.6.6 = i 1
			set 1.3.1.6.7 = i 5
			set 1.3.1.6.7 = i 6
			get 1.3.1.6.7 = - -
		`},
		{"RowStatus of a row that is notInService, or active", `
			set 1.3.1.6.5 = i 5  1.3.1.7.5 = i 1
			get 1.3.1.6.5 = i 2
			set 1.3.1.6.5 = i 5 ! inconsistentValue 1
			set 1.3.1.6.5 = i 2
			set 1.3.1.3.5 = s me
			get 1.3.1.6.5 = i 2
			set 1.3.1.6.5 = i 1
			get 1.3.1.6.5 = i 1
			set 1.3.1.6.5 = i 4 ! inconsistentValue 1
			set 1.3.1.6.5 = i 1
			set 1.3.1.6.5 = i 2
			get 1.3.1.6.5 = i 2
			set 1.3.1.6.5 = i 1
			set 1.3.1.6.5 = i 6
			get 1.3.1.6.5 = - -
		`},
		{"LastTime becomes Uptime, PreviousTime the LastTime before", `
			set 1.3.1.6.5 = i 4  1.3.1.7.5 = i 1
			get 1.3.1.4.5 = t 0
			at 5000
			set 1.3.1.4.5 = t 77
			get 1.3.1.4.5 = t 5000
			get 1.3.1.5.5 = t 0
			at 9000
			set 1.3.1.4.5 = t 0
			get 1.3.1.4.5 = t 9000
			get 1.3.1.5.5 = t 5000
			at 9500
			set 1.3.1.4.5 = t 9000
			get 1.3.1.5.5 = t 9000
			at 9600
			set 1.3.1.4.5 = t 9000
			get 1.3.1.4.5 = t 9500
			get 1.3.1.5.5 = t 9000
			set 1.3.1.4.5 = i 1 ! wrongType 1
			set 1.3.1.5.5 = t 1 ! notWritable 1
		`},
		{"LastTime set twice within a centisecond", `
			set 1.3.1.6.5 = i 4  1.3.1.7.5 = i 1
			at 5000
			set 1.3.1.4.5 = t 0
			set 1.3.1.4.5 = t 5000
			get 1.3.1.5.5 = t 5000
			at 6000
			set 1.3.1.4.5 = t 5000
			get 1.3.1.4.5 = t 6000
			get 1.3.1.5.5 = t 5000
		`},
		{"an active reader: only LastTime and Timeout may be changed", `
			set 1.3.1.6.5 = i 4  1.3.1.7.5 = i 1  1.3.1.3.5 = s me
			set 1.3.1.2.5 = i 60
			get 1.3.1.2.5 = i 60
			set 1.3.1.2.5 = i -1 ! wrongValue 1
			set 1.3.1.4.5 = t 0
			set 1.3.1.3.5 = s you ! inconsistentValue 1
			set 1.3.1.7.5 = i 1 ! inconsistentValue 1
			set 1.3.1.6.5 = i 2  1.3.1.3.5 = s you
			get 1.3.1.3.5 = s you
		`},
		{"a reader's ruleset exists", `
			set 1.3.1.6.5 = i 5  1.3.1.7.5 = i 9 ! inconsistentValue 2
			set 1.3.1.6.5 = i 5  1.3.1.7.5 = i 0 ! wrongValue 2
			set 1.3.1.7.5 = i 9  1.3.1.6.5 = i 4  1.1.1.5.9 = i 5
			get 1.3.1.7.5 = i 9
		`},
		{"a task: defaults, and what may be set while it is active", ready + `
			at 4000
			set 1.4.1.8.3 = i 4
			get 1.4.1.2.3 = i 0
			get 1.4.1.3.3 = i 0
			get 1.4.1.4.3 = i 0
			get 1.4.1.5.3 = i 1
			get 1.4.1.6.3 = s ''
			get 1.4.1.7.3 = t 4000
			get 1.4.1.8.3 = i 1
			get 1.4.1.9.3 = i 2
			at 5000
			set 1.4.1.2.3 = i 2  1.4.1.3.3 = i 1  1.4.1.4.3 = i 65
			get 1.4.1.7.3 = t 5000
			set 1.4.1.9.3 = i 1
			get 1.4.1.9.3 = i 1
			set 1.4.1.9.3 = i 2
			set 1.4.1.9.3 = i 3 ! wrongValue 1
			set 1.4.1.4.3 = i 101 ! wrongValue 1
			set 1.4.1.4.3 = i -1 ! wrongValue 1
			set 1.4.1.5.3 = i 2 ! inconsistentValue 1
			set 1.4.1.6.3 = s me ! inconsistentValue 1
			set 1.4.1.7.3 = t 1 ! notWritable 1
			set 1.4.1.8.3 = i 2  1.4.1.5.3 = i 2  1.4.1.6.3 = s me
			get 1.4.1.5.3 = i 2
			set 1.4.1.5.3 = i 3 ! wrongValue 1
		`},
		{"a task's rulesets are there, and active", oneRule + `
			set 1.4.1.8.3 = i 4  1.4.1.2.3 = i 2 ! inconsistentValue 2
			set 1.4.1.8.3 = i 4  1.4.1.3.3 = i 9 ! inconsistentValue 2
			set 1.4.1.8.3 = i 4  1.4.1.3.3 = i -1 ! wrongValue 2
			set 1.4.1.8.3 = i 4  1.4.1.2.3 = i 2  1.1.1.5.2 = i 1
			set 1.4.1.2.3 = i 3 ! inconsistentValue 1
			set 1.4.1.3.3 = i 300 ! inconsistentValue 1
			set 1.4.1.2.3 = i 1
		`},
		{"owners are UTF-8 of at most 127 octets", `
			set 1.1.1.5.2 = i 5  1.1.1.3.2 = h c3a9
			set 1.1.1.3.2 = h ff ! wrongValue 1
			set 1.1.1.6.2 = h ff
			set 1.1.1.3.2 = s ` + strings.Repeat("x", 127) + `
			set 1.1.1.3.2 = s ` + strings.Repeat("x", 128) + ` ! wrongLength 1
			set 1.1.1.6.2 = s ` + strings.Repeat("x", 128) + ` ! wrongLength 1
			set 1.1.1.6.2 = i 1 ! wrongType 1
			set 1.1.1.7.2 = i 0 ! wrongValue 1
			set 1.1.1.8.2 = i 0 ! notWritable 1
		`},
		{"the meter's own variables", `
			get 1.5.0 = i 95
			get 1.6.0 = i 600
			get 1.7.0 = i 6
			get 1.8.0 = i 5000
			get 1.9.0 = i 2
			set 1.5.0 = i 0  1.6.0 = i 0  1.9.0 = i 1
			get 1.5.0 = i 0
			get 1.6.0 = i 0
			get 1.9.0 = i 1
			set 1.5.0 = i 101 ! wrongValue 1
			set 1.5.0 = i -1 ! wrongValue 1
			set 1.6.0 = i -1 ! wrongValue 1
			set 1.9.0 = i 0 ! wrongValue 1
			set 1.9.0 = s x ! wrongType 1
			set 1.7.0 = i 1 ! notWritable 1
			set 1.8.0 = i 1 ! notWritable 1
			set 1.5.1 = i 1 ! noCreation 1
			set 1.5.0.0 = i 1 ! noCreation 1
			get 1.5.1 = - -
		`},
		{"flows are only read", `
			set 2.1.1.28.2.0.1 = c 1 ! notWritable 1
			set 2.2.1.4.28.0.1 = s x ! notWritable 1
			set 2.3.1.5.1.28.2.0.1 = s x ! notWritable 1
			set 9.9 = i 1 ! notWritable 1
		`},
		{"interfaces", `
			get 1.2.1.1.1 = i 1
			set 1.2.1.1.1 = i 0
			set 1.2.1.1.1 = i 100
			get 1.2.1.1.1 = i 100
			set 1.2.1.1.1 = i -1 ! wrongValue 1
			set 1.2.1.1.2 = i 1 ! noCreation 1
			set 1.2.1.2.1 = i 1 ! notWritable 1
		`},
		{"nothing is half done", ready + `
			set 1.5.0 = i 50  1.4.1.8.1 = i 4  1.4.1.2.1 = i 2  1.2.1.1.1 = i 9  1.6.0 = i -5 ! wrongValue 5
			get 1.5.0 = i 95
			get 1.4.1.8.1 = - -
			get 1.2.1.1.1 = i 1
		`},
	} {
		t.Run(c.clause, func(t *testing.T) {
			m := newFakeMeter()
			m.control.Interfaces.Put(1, &Interface{SampleRate: 1, Packets: 10, Lost: 1<<32 + 5})
			for i := range uint32(6) {
				m.add(1, i+1, 10)
			}
			play(t, m, New(m), c.script)
		})
	}
}
