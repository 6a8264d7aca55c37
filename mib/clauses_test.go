package mib

import (
	"strings"
	"testing"
)

// oneRule writes the only rule of ruleset 2 and activates that.
const (
	oneRule = `
		set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 1
		set flowRuleSelector.2.1 = i 8  flowRuleMask.2.1 = h ff  flowRuleMatchedValue.2.1 = h 00  flowRuleAction.2.1 = i 4  flowRuleParameter.2.1 = i 0
	`
	ready = oneRule + `
		set flowRuleInfoStatus.2 = i 1
	`
)

// TestClauses holds the MIB to what the DESCRIPTIONs of RFC 2720 and the
// RowStatus of RFC 2579 say.
func TestClauses(t *testing.T) {
	for _, c := range []struct{ clause, script string }{
		{"download: create, set the size, write the rules, activate", `
			set flowRuleInfoStatus.2 = i 5
			get flowRuleInfoStatus.2 = i 3      # notReady: it has no rules
			set flowRuleInfoSize.2 = i 2  flowRuleInfoName.2 = s WWW-FLOWS  flowRuleInfoOwner.2 = s me
			get flowRuleInfoStatus.2 = i 3      # nor have they been written
			set flowRuleSelector.2.1 = i 8  flowRuleMask.2.1 = h ff  flowRuleMatchedValue.2.1 = h 01  flowRuleAction.2.1 = i 12  flowRuleParameter.2.1 = i 2
			get flowRuleInfoStatus.2 = i 3
			get flowRuleAction.2.1 = i 12
			get flowRuleAction.2.2 = - -
			set flowRuleSelector.2.2 = i 0  flowRuleMask.2.2 = h 00  flowRuleMatchedValue.2.2 = h 00  flowRuleAction.2.2 = i 3  flowRuleParameter.2.2 = i 0
			get flowRuleInfoStatus.2 = i 2      # notInService
			set flowRuleInfoStatus.2 = i 1
			get flowRuleInfoStatus.2 = i 1
			get flowRuleInfoSize.2 = i 2
			get flowRuleInfoOwner.2 = s me
			get flowRuleInfoName.2 = s WWW-FLOWS
			get flowRuleInfoFlowRecords.2 = i 0
			get flowRuleSelector.2.1 = i 8
			get flowRuleMask.2.1 = h ff
			get flowRuleMatchedValue.2.1 = h 01
			get flowRuleParameter.2.1 = i 2
		`},
		{"a ruleset created, written, activated and run in one Set, in any order", `
			set flowManagerCurrentRuleSet.7 = i 2  flowRuleAction.2.1 = i 4  flowManagerStatus.7 = i 4  flowRuleMask.2.1 = h ff  flowRuleInfoSize.2 = i 1  flowRuleSelector.2.1 = i 8  flowRuleInfoStatus.2 = i 4
			get flowRuleInfoStatus.2 = i 1
			get flowManagerStatus.7 = i 1
			get flowManagerCurrentRuleSet.7 = i 2
			get flowRuleMatchedValue.2.1 = h 00
			get flowRuleParameter.2.1 = i 0
		`},
		{"flowRuleInfoSize allocates, and keeps the rules there are", oneRule + `
			set flowRuleInfoSize.2 = i 3
			get flowRuleAction.2.1 = i 4
			get flowRuleAction.2.2 = - -
			get flowRuleInfoStatus.2 = i 3
			set flowRuleInfoSize.2 = i 65535
			set flowRuleInfoSize.2 = i 65536 ! resourceUnavailable 1
			set flowRuleInfoSize.2 = i -1 ! wrongValue 1
			set flowRuleInfoSize.2 = i 0
			get flowRuleAction.2.1 = - -
		`},
		{"flowRuleInfoTimeStamp: when the ruleset was last changed", `
			at 7000
			set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 1
			get flowRuleInfoTimeStamp.2 = t 7000
			at 8000
			set flowRuleAction.2.1 = i 1
			get flowRuleInfoTimeStamp.2 = t 8000
			set flowRuleInfoTimeStamp.2 = t 1 ! notWritable 1
		`},
		{"active: neither the other variables nor the rules can be changed: notWritable", ready + `
			set flowRuleInfoSize.2 = i 1 ! notWritable 1
			set flowRuleInfoOwner.2 = s you ! notWritable 1
			set flowRuleInfoName.2 = s name ! notWritable 1
			set flowRuleInfoRulesReady.2 = i 2 ! notWritable 1
			set flowRuleSelector.2.1 = i 8 ! notWritable 1
			set flowRuleMask.2.1 = h ff ! notWritable 1
			set flowRuleMatchedValue.2.1 = h ff ! notWritable 1
			set flowRuleAction.2.1 = i 1 ! notWritable 1
			set flowRuleParameter.2.1 = i 1 ! notWritable 1
			set flowRuleInfoStatus.2 = i 1  flowRuleAction.2.1 = i 1 ! notWritable 2
			set flowRuleInfoStatus.2 = i 1                     # is that already
			set flowRuleInfoStatus.2 = i 2  flowRuleAction.2.1 = i 1  # no longer active
			get flowRuleAction.2.1 = i 1
			get flowRuleInfoStatus.2 = i 2
		`},
		{"the status cannot leave active while a task refers to the ruleset", ready + `
			set flowManagerStatus.1 = i 4  flowManagerCurrentRuleSet.1 = i 2
			set flowRuleInfoStatus.2 = i 2 ! inconsistentValue 1
			set flowRuleInfoStatus.2 = i 6 ! inconsistentValue 1
			set flowManagerCurrentRuleSet.1 = i 0  flowManagerStandbyRuleSet.1 = i 2
			set flowRuleInfoStatus.2 = i 6 ! inconsistentValue 1
			set flowManagerStandbyRuleSet.1 = i 0
			set flowManagerStatus.1 = i 2
			set flowManagerCurrentRuleSet.1 = i 2
			set flowRuleInfoStatus.2 = i 6 ! inconsistentValue 1
			set flowRuleInfoStatus.2 = i 6  flowManagerStatus.1 = i 6
			get flowRuleInfoStatus.2 = - -
			get flowRuleAction.2.1 = - -
		`},
		{"RulesReady: true freezes the rules, and activation needs it", oneRule + `
			get flowRuleInfoRulesReady.2 = i 2
			set flowRuleInfoStatus.2 = i 1  flowRuleInfoRulesReady.2 = i 2 ! inconsistentValue 2
			set flowRuleInfoRulesReady.2 = i 1
			get flowRuleInfoStatus.2 = i 2
			set flowRuleAction.2.1 = i 1 ! notWritable 1
			set flowRuleInfoSize.2 = i 2 ! notWritable 1
			set flowRuleInfoRulesReady.2 = i 2  flowRuleAction.2.1 = i 3
			get flowRuleAction.2.1 = i 3
			set flowRuleInfoStatus.2 = i 1
			get flowRuleInfoRulesReady.2 = i 1
			set flowRuleInfoStatus.2 = i 2
			get flowRuleInfoRulesReady.2 = i 2
		`},
		{"the meter does not take what it cannot run", `
			set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 2
			set flowRuleInfoStatus.2 = i 1 ! inconsistentValue 1
			set flowRuleInfoStatus.2 = i 2 ! inconsistentValue 1
			set flowRuleAction.2.1 = i 10  flowRuleParameter.2.1 = i 9  flowRuleAction.2.2 = i 1
			set flowRuleInfoStatus.2 = i 1 ! inconsistentValue 1
			set flowRuleInfoStatus.2 = i 1  flowRuleParameter.2.1 = i 2
			get flowRuleInfoStatus.2 = i 1
			get flowRuleParameter.2.1 = i 2
		`},
		{"the status is judged by the rules that come with it", `
			set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 1
			set flowRuleAction.2.1 = i 4  flowRuleInfoStatus.2 = i 2
			get flowRuleInfoStatus.2 = i 2
			set flowRuleSelector.2.1 = i 0  flowRuleInfoStatus.2 = i 6
			get flowRuleInfoStatus.2 = - -
			set flowRuleInfoStatus.2 = i 4 ! inconsistentValue 1
		`},
		{"the built-in ruleset cannot be changed", `
			get flowRuleInfoStatus.1 = i 1
			get flowRuleInfoName.1 = s default
			get flowRuleInfoSize.1 = i 3
			get flowRuleAction.1.1 = i 11
			get flowRuleMask.1.1 = h 00
			set flowRuleInfoStatus.1 = i 6 ! notWritable 1
			set flowRuleInfoStatus.1 = i 2 ! notWritable 1
			set flowRuleInfoStatus.1 = i 4 ! notWritable 1
			set flowRuleInfoName.1 = s mine ! notWritable 1
			set flowRuleAction.1.1 = i 1 ! notWritable 1
		`},
		{"rules: values", `
			set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 3
			set flowRuleSelector.2.1 = i 55
			set flowRuleSelector.2.1 = i 50
			set flowRuleSelector.2.1 = i 1026
			set flowRuleSelector.2.1 = i 27 ! wrongValue 1   # ToOctets: only read
			set flowRuleSelector.2.1 = i 10 ! wrongValue 1   # a mask
			set flowRuleSelector.2.1 = i 45 ! wrongValue 1
			set flowRuleSelector.2.1 = i -1 ! wrongValue 1
			set flowRuleSelector.2.1 = i 65536 ! wrongValue 1
			set flowRuleSelector.2.1 = s x ! wrongType 1
			set flowRuleMask.2.1 = h 01
			set flowRuleMask.2.1 = h 0102030405060708090a0b0c0d0e0f1011121314
			get flowRuleMask.2.1 = h 0102030405060708090a0b0c0d0e0f1011121314
			set flowRuleMask.2.1 = h 0102030405060708090a0b0c0d0e0f101112131415 ! wrongLength 1
			set flowRuleMask.2.1 = s '' ! wrongLength 1
			set flowRuleMask.2.1 = i 1 ! wrongType 1
			set flowRuleMatchedValue.2.1 = s '' ! wrongLength 1
			set flowRuleMatchedValue.2.1 = h 0102
			get flowRuleMatchedValue.2.1 = h 0102
			set flowRuleAction.2.1 = i 0 ! wrongValue 1
			set flowRuleAction.2.1 = i 18 ! wrongValue 1
			set flowRuleParameter.2.1 = i 65535
			set flowRuleParameter.2.1 = i 65536 ! wrongValue 1
			set flowRuleParameter.2.1 = i -1 ! wrongValue 1
		`},
		{"rules: where there can be none", `
			set flowRuleAction.2.1 = i 1 ! inconsistentName 1
			set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 3
			set flowRuleAction.2.4 = i 1 ! inconsistentName 1
			set flowRuleAction.2.3 = i 1  flowRuleInfoSize.2 = i 2 ! inconsistentName 1
			set flowRuleAction.2.4 = i 1  flowRuleInfoSize.2 = i 4
			set flowRuleAction.2.0 = i 1 ! noCreation 1
			set flowRuleAction.2.65536 = i 1 ! noCreation 1
			set flowRuleAction.256.1 = i 1 ! noCreation 1
			set flowRuleAction.0.1 = i 1 ! noCreation 1
			set flowRuleAction.2 = i 1 ! noCreation 1
			set flowRuleAction.2.1.1 = i 1 ! noCreation 1
			set flowRuleIndex.2.1 = i 1 ! notWritable 1
		`},
		{"RowStatus of a row that is not there", `
			set flowReaderStatus.5 = i 1 ! inconsistentValue 1
			set flowReaderStatus.5 = i 2 ! inconsistentValue 1
			set flowReaderStatus.5 = i 3 ! wrongValue 1
			set flowReaderStatus.5 = i 0 ! wrongValue 1
			set flowReaderStatus.5 = i 7 ! wrongValue 1
			set flowReaderStatus.5 = s x ! wrongType 1
			set flowReaderStatus.5 = i 6
			set flowReaderTimeout.5 = i 60 ! inconsistentName 1
			set flowReaderStatus.5 = i 4 ! inconsistentValue 1      # RuleSet is missing
			set flowReaderStatus.5 = i 4  flowReaderRuleSet.5 = i 1
			get flowReaderStatus.5 = i 1
			set flowReaderStatus.6 = i 5
			get flowReaderStatus.6 = i 3
			set flowReaderStatus.0 = i 4 ! noCreation 1
			set flowReaderStatus.2147483648 = i 4 ! noCreation 1
			set flowReaderStatus.2147483647 = i 5
			set flowReaderStatus = i 4 ! noCreation 1
			set flowReaderStatus.1.1 = i 4 ! noCreation 1
			set flowRuleInfoStatus.256 = i 5 ! noCreation 1            # flowDataRuleSet ends at 255
			set flowRuleInfoStatus.255 = i 5
		`},
		{"RowStatus of a row that is notReady", `
			set flowReaderStatus.5 = i 5
			set flowReaderStatus.5 = i 4 ! inconsistentValue 1
			set flowReaderStatus.5 = i 5 ! inconsistentValue 1
			set flowReaderStatus.5 = i 1 ! inconsistentValue 1
			set flowReaderStatus.5 = i 2 ! inconsistentValue 1
			set flowReaderStatus.5 = i 3 ! wrongValue 1
			set flowReaderStatus.5 = i 2  flowReaderRuleSet.5 = i 1
			get flowReaderStatus.5 = i 2
			set flowReaderStatus.6 = i 5
			set flowReaderRuleSet.6 = i 1  flowReaderStatus.6 = i 1
			get flowReaderStatus.6 = i 1
			set flowReaderStatus.7 = i 5
			set flowReaderStatus.7 = i 6
			get flowReaderStatus.7 = - -
		`},
		{"RowStatus of a row that is notInService, or active", `
			set flowReaderStatus.5 = i 5  flowReaderRuleSet.5 = i 1
			get flowReaderStatus.5 = i 2
			set flowReaderStatus.5 = i 5 ! inconsistentValue 1
			set flowReaderStatus.5 = i 2
			set flowReaderOwner.5 = s me
			get flowReaderStatus.5 = i 2
			set flowReaderStatus.5 = i 1
			get flowReaderStatus.5 = i 1
			set flowReaderStatus.5 = i 4 ! inconsistentValue 1
			set flowReaderStatus.5 = i 1
			set flowReaderStatus.5 = i 2
			get flowReaderStatus.5 = i 2
			set flowReaderStatus.5 = i 1
			set flowReaderStatus.5 = i 6
			get flowReaderStatus.5 = - -
		`},
		{"LastTime becomes Uptime, PreviousTime the LastTime before", `
			set flowReaderStatus.5 = i 4  flowReaderRuleSet.5 = i 1
			get flowReaderLastTime.5 = t 0
			at 5000
			set flowReaderLastTime.5 = t 77
			get flowReaderLastTime.5 = t 5000
			get flowReaderPreviousTime.5 = t 0
			at 9000
			set flowReaderLastTime.5 = t 0
			get flowReaderLastTime.5 = t 9000
			get flowReaderPreviousTime.5 = t 5000
			at 9500
			set flowReaderLastTime.5 = t 9000
			get flowReaderPreviousTime.5 = t 9000
			at 9600
			set flowReaderLastTime.5 = t 9000
			get flowReaderLastTime.5 = t 9500
			get flowReaderPreviousTime.5 = t 9000
			set flowReaderLastTime.5 = i 1 ! wrongType 1
			set flowReaderPreviousTime.5 = t 1 ! notWritable 1
		`},
		{"LastTime set twice within a centisecond", `
			set flowReaderStatus.5 = i 4  flowReaderRuleSet.5 = i 1
			at 5000
			set flowReaderLastTime.5 = t 0
			set flowReaderLastTime.5 = t 5000
			get flowReaderPreviousTime.5 = t 5000
			at 6000
			set flowReaderLastTime.5 = t 5000
			get flowReaderLastTime.5 = t 6000
			get flowReaderPreviousTime.5 = t 5000
		`},
		{"an active reader: only LastTime and Timeout may be changed", `
			set flowReaderStatus.5 = i 4  flowReaderRuleSet.5 = i 1  flowReaderOwner.5 = s me
			set flowReaderTimeout.5 = i 60
			get flowReaderTimeout.5 = i 60
			set flowReaderTimeout.5 = i -1 ! wrongValue 1
			set flowReaderLastTime.5 = t 0
			set flowReaderOwner.5 = s you ! inconsistentValue 1
			set flowReaderRuleSet.5 = i 1 ! inconsistentValue 1
			set flowReaderStatus.5 = i 2  flowReaderOwner.5 = s you
			get flowReaderOwner.5 = s you
		`},
		{"a reader's ruleset exists", `
			set flowReaderStatus.5 = i 5  flowReaderRuleSet.5 = i 9 ! inconsistentValue 2
			set flowReaderStatus.5 = i 5  flowReaderRuleSet.5 = i 0 ! wrongValue 2
			set flowReaderRuleSet.5 = i 9  flowReaderStatus.5 = i 4  flowRuleInfoStatus.9 = i 5
			get flowReaderRuleSet.5 = i 9
		`},
		{"a task: defaults, and what may be set while it is active", ready + `
			at 4000
			set flowManagerStatus.3 = i 4
			get flowManagerCurrentRuleSet.3 = i 0
			get flowManagerStandbyRuleSet.3 = i 0
			get flowManagerHighWaterMark.3 = i 0
			get flowManagerCounterWrap.3 = i 1
			get flowManagerOwner.3 = s ''
			get flowManagerTimeStamp.3 = t 4000
			get flowManagerStatus.3 = i 1
			get flowManagerRunningStandby.3 = i 2
			at 5000
			set flowManagerCurrentRuleSet.3 = i 2  flowManagerStandbyRuleSet.3 = i 1  flowManagerHighWaterMark.3 = i 65
			get flowManagerTimeStamp.3 = t 5000
			set flowManagerRunningStandby.3 = i 1
			get flowManagerRunningStandby.3 = i 1
			set flowManagerRunningStandby.3 = i 2
			set flowManagerRunningStandby.3 = i 3 ! wrongValue 1
			set flowManagerHighWaterMark.3 = i 101 ! wrongValue 1
			set flowManagerHighWaterMark.3 = i -1 ! wrongValue 1
			set flowManagerCounterWrap.3 = i 2 ! inconsistentValue 1
			set flowManagerOwner.3 = s me ! inconsistentValue 1
			set flowManagerTimeStamp.3 = t 1 ! notWritable 1
			set flowManagerStatus.3 = i 2  flowManagerCounterWrap.3 = i 2  flowManagerOwner.3 = s me
			get flowManagerCounterWrap.3 = i 2
			set flowManagerCounterWrap.3 = i 3 ! wrongValue 1
		`},
		{"a task's rulesets are there, and active", oneRule + `
			set flowManagerStatus.3 = i 4  flowManagerCurrentRuleSet.3 = i 2 ! inconsistentValue 2
			set flowManagerStatus.3 = i 4  flowManagerStandbyRuleSet.3 = i 9 ! inconsistentValue 2
			set flowManagerStatus.3 = i 4  flowManagerStandbyRuleSet.3 = i -1 ! wrongValue 2
			set flowManagerStatus.3 = i 4  flowManagerCurrentRuleSet.3 = i 2  flowRuleInfoStatus.2 = i 1
			set flowManagerCurrentRuleSet.3 = i 3 ! inconsistentValue 1
			set flowManagerStandbyRuleSet.3 = i 300 ! inconsistentValue 1
			set flowManagerCurrentRuleSet.3 = i 1
		`},
		{"owners are UTF-8 of at most 127 octets", `
			set flowRuleInfoStatus.2 = i 5  flowRuleInfoOwner.2 = h c3a9
			set flowRuleInfoOwner.2 = h ff ! wrongValue 1
			set flowRuleInfoName.2 = h ff
			set flowRuleInfoOwner.2 = s ` + strings.Repeat("x", 127) + `
			set flowRuleInfoOwner.2 = s ` + strings.Repeat("x", 128) + ` ! wrongLength 1
			set flowRuleInfoName.2 = s ` + strings.Repeat("x", 128) + ` ! wrongLength 1
			set flowRuleInfoName.2 = i 1 ! wrongType 1
			set flowRuleInfoRulesReady.2 = i 0 ! wrongValue 1
			set flowRuleInfoFlowRecords.2 = i 0 ! notWritable 1
		`},
		{"the meter's own variables", `
			get flowFloodMark.0 = i 95
			get flowInactivityTimeout.0 = i 600
			get flowActiveFlows.0 = i 6
			get flowMaxFlows.0 = i 5000
			get flowFloodMode.0 = i 2
			set flowFloodMark.0 = i 0  flowInactivityTimeout.0 = i 0  flowFloodMode.0 = i 1
			get flowFloodMark.0 = i 0
			get flowInactivityTimeout.0 = i 0
			get flowFloodMode.0 = i 1
			set flowFloodMark.0 = i 101 ! wrongValue 1
			set flowFloodMark.0 = i -1 ! wrongValue 1
			set flowInactivityTimeout.0 = i -1 ! wrongValue 1
			set flowFloodMode.0 = i 0 ! wrongValue 1
			set flowFloodMode.0 = s x ! wrongType 1
			set flowActiveFlows.0 = i 1 ! notWritable 1
			set flowMaxFlows.0 = i 1 ! notWritable 1
			set flowFloodMark.1 = i 1 ! noCreation 1
			set flowFloodMark.0.0 = i 1 ! noCreation 1
			get flowFloodMark.1 = - -
		`},
		{"flows are only read", `
			set flowDataToPDUs.2.0.1 = c 1 ! notWritable 1
			set flowColumnActivityData.28.0.1 = s x ! notWritable 1
			set flowPackageData.1.28.2.0.1 = s x ! notWritable 1
			set 1.3.6.1.2.1.40.9.9 = i 1 ! notWritable 1
		`},
		{"interfaces", `
			get flowInterfaceSampleRate.1 = i 1
			set flowInterfaceSampleRate.1 = i 0
			set flowInterfaceSampleRate.1 = i 100
			get flowInterfaceSampleRate.1 = i 100
			set flowInterfaceSampleRate.1 = i -1 ! wrongValue 1
			set flowInterfaceSampleRate.2 = i 1 ! noCreation 1
			set flowInterfaceLostPackets.1 = i 1 ! notWritable 1
		`},
		{"nothing is half done", ready + `
			set flowFloodMark.0 = i 50  flowManagerStatus.1 = i 4  flowManagerCurrentRuleSet.1 = i 2  flowInterfaceSampleRate.1 = i 9  flowInactivityTimeout.0 = i -5 ! wrongValue 5
			get flowFloodMark.0 = i 95
			get flowManagerStatus.1 = - -
			get flowInterfaceSampleRate.1 = i 1
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
