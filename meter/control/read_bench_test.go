package control

import (
	"context"
	"fmt"
	"math"
	"testing"

	"rtfm/meter"
	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// hosts is a ruleset whose flows have ten attributes worth reading.
func hosts() *ruleset.RuleSet {
	rs := &ruleset.RuleSet{Name: "hosts"}
	for _, a := range []attr.Attr{
		attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress,
		attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress,
	} {
		rs.Rules = append(rs.Rules, ruleset.Rule{Attr: a, Mask: attr.Ones(a.Info().Size), Op: ruleset.OpPushPktToAct, Param: len(rs.Rules) + 2})
	}
	rs.Rules[0] = ruleset.Rule{Attr: attr.Null, Op: ruleset.OpGotoAct, Param: 2}
	rs.Rules[len(rs.Rules)-1].Op = ruleset.OpCountPkt
	return rs
}

// BenchmarkRead reads all flows of a meter through the MIB, a GetNext or GetBulk
// at a time, with the ten attributes that readers mostly want.
func BenchmarkRead(b *testing.B) {
	m := New(Config{Config: meter.Config{MaxFlows: 200_000}})
	m.Do(func() {
		m.control.RuleSets.Put(2, &mib.RuleSet{ID: 99, Row: mib.Row{Active: true}, Rules: hosts().Rules})
		m.control.Managers.Put(1, &mib.Manager{Row: mib.Row{Active: true}, CurrentRuleSet: 2})
		m.Changed()
		m.Settle()
		m.dismissed = true
	})
	const flows = 60_000
	if err := m.Run(context.Background(), &once{many(0, flows, 0)}, func(err error) { b.Error(err) }); err != nil {
		b.Fatal(err)
	}
	h := mib.New(m)
	attrs := []uint32{1, 31, 9, 19, 11, 12, 22, 27, 28, 29}
	block := module.RtfmBlockData.At(uint32(2 * len(attrs)))
	packages := module.FlowPackageData.At(uint32(len(attrs)))
	for _, a := range attrs {
		block = append(block, 0, a)
		packages = append(packages, a)
	}
	var columns []smi.OID
	for _, a := range attrs[1:] {
		columns = append(columns, module.FlowDataEntry.At(a, 2, 0))
	}
	for _, way := range []struct {
		name    string
		columns []smi.OID
	}{
		{"block", []smi.OID{append(block, 2, 0)}},
		{"package", []smi.OID{append(packages, 2, 0)}},
		{"columns", columns},
	} {
		b.Run(way.name, func(b *testing.B) {
			var out []smi.VarBind
			read := 0
			for b.Loop() {
				bulk := smi.Bulk{MaxRepetitions: 8, MaxOctets: 60_000}
				if way.name != "block" {
					bulk.MaxRepetitions = 100
				}
				for _, c := range way.columns {
					bulk.Ranges = append(bulk.Ranges, smi.Range{Start: c})
				}
				for {
					var err error
					if out, err = h.Bulk(&bulk, out); err != nil {
						b.Fatal(err)
					}
					done := false
					for i := 0; i < len(out) && !done; i += len(way.columns) {
						done = out[i].Value.Type == smi.EndOfMibView || !out[i].Name.HasPrefix(way.columns[0])
						if !done {
							read++
						}
						if !done && way.name == "block" {
							read += int(out[i].Value.Octets[0])<<8 + int(out[i].Value.Octets[1]) - 1
						}
					}
					if done {
						break
					}
					last := len(out) - len(out)%len(way.columns) - len(way.columns)
					for i := range way.columns {
						bulk.Ranges[i].Start = append(smi.OID{}, out[last+i].Name...)
					}
				}
			}
			if read != b.N*flows {
				b.Fatal(fmt.Errorf("%d flows, want %d", read, b.N*flows))
			}
			b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "flows/s")
		})
	}
	b.Run("idle", func(b *testing.B) { // nothing was active since
		var f match.Flow
		for b.Loop() {
			m.NextFlow(2, 1, math.MaxInt64, &f)
		}
	})
}
