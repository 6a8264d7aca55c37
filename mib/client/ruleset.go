package client

import (
	"context"
	"fmt"
	"math"

	"rtfm/ruleset/attr"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/ruleset"
)

// RuleSetInfo is a row of flowRuleSetInfoTable.
type RuleSetInfo struct {
	mib.Row
	Name       string
	Size       int // rules
	RulesReady bool
	Flows      int    // in the flow table
	TimeStamp  uint32 // Uptime of the latest change, in centiseconds
}

// RuleSets reads the rows of flowRuleSetInfoTable.
func (c *Client) RuleSets(ctx context.Context) (*mib.Rows[RuleSetInfo], error) {
	rows := new(mib.Rows[RuleSetInfo])
	columns := []*module.Object{
		module.FlowRuleInfoStatus, module.FlowRuleInfoSize, module.FlowRuleInfoOwner, module.FlowRuleInfoTimeStamp,
		module.FlowRuleInfoName, module.FlowRuleInfoRulesReady, module.FlowRuleInfoFlowRecords,
	}
	err := c.rows(ctx, mib.MaxRows, columns, func(i int, row []smi.VarBind) error {
		var r values
		rows.Put(i, &RuleSetInfo{
			Row:        mib.Row{Active: r.active(&row[0]), Owner: r.text(&row[2])},
			Size:       r.int(&row[1], 0, math.MaxInt32),
			TimeStamp:  uint32(r.uint(&row[3], smi.TimeTicks)),
			Name:       r.text(&row[4]),
			RulesReady: r.truth(&row[5]),
			Flows:      r.int(&row[6], 0, math.MaxInt32),
		})
		return r.err
	})
	return rows, err
}

// rulesPerRequest is how many rules, of five variables each, are read or
// written by one request.
const rulesPerRequest = 20

// PutRuleSet creates the ruleset with this index, writes its rules and makes
// it active. What could be done of it stays when there is an error. It is
// ErrExists if there is a ruleset with this index.
func (c *Client) PutRuleSet(ctx context.Context, index int, owner string, rs *ruleset.RuleSet) error {
	if err := rs.Check(); err != nil {
		return err
	}
	if n := len(rs.Rules); n > mib.MaxRuleSetSize {
		return fmt.Errorf("ruleset %s: %d rules, where %d are the most that the Meter MIB can number", rs.Name, n, mib.MaxRuleSetSize)
	}
	name := rs.Name
	if len(name) > longestText {
		name = name[:longestText]
	}
	row := uint32(index)
	err := c.create(ctx, index, module.FlowRuleInfoStatus, smi.RowCreateAndWait, module.FlowRuleInfoOwner, owner,
		integer(module.FlowRuleInfoSize.At(row), len(rs.Rules)), text(module.FlowRuleInfoName.At(row), name))
	if err != nil {
		return fmt.Errorf("creating ruleset %d: %w", index, err)
	}
	var vars []smi.VarBind
	for i := range rs.Rules {
		r, at := &rs.Rules[i], uint32(i+1)
		vars = append(vars,
			integer(module.FlowRuleSelector.At(row, at), int(r.Attr)),
			text(module.FlowRuleMask.At(row, at), octetsOf(r.Mask)),
			text(module.FlowRuleMatchedValue.At(row, at), octetsOf(r.Value)),
			integer(module.FlowRuleAction.At(row, at), int(r.Op)),
			integer(module.FlowRuleParameter.At(row, at), r.Param))
		if (i+1)%rulesPerRequest == 0 || i == len(rs.Rules)-1 {
			if err := c.set(ctx, nil, vars...); err != nil {
				return fmt.Errorf("writing the rules of ruleset %d: %w", index, err)
			}
			vars = vars[:0]
		}
	}
	if err := c.set(ctx, nil, integer(module.FlowRuleInfoStatus.At(row), int(smi.RowActive))); err != nil {
		return fmt.Errorf("making ruleset %d active: %w", index, err)
	}
	return nil
}

// octetsOf returns a mask or value as a rule has it: at least one octet.
func octetsOf(v attr.Value) string { return string(v.Resize(max(v.Len(), 1)).Append(nil)) }

// MaxRules is how many rules should be read of all rulesets of a meter together:
// more is ErrManyRules to those who keep them.
const MaxRules = ruleset.MaxRules

// RuleSet reads a ruleset and its rules. What a Meter MIB does not hold,
// FORMAT and the like, is missing.
func (c *Client) RuleSet(ctx context.Context, index int) (*ruleset.RuleSet, error) {
	row := uint32(index)
	vars, err := c.get(ctx, module.FlowRuleInfoSize.At(row), module.FlowRuleInfoName.At(row))
	if err != nil {
		return nil, fmt.Errorf("reading ruleset %d: %w", index, err)
	}
	var r values
	size := r.int(&vars[0], 0, mib.MaxRuleSetSize)
	rs := &ruleset.RuleSet{Number: index, Name: r.text(&vars[1])}
	if r.err != nil {
		return nil, c.wrap(fmt.Errorf("reading ruleset %d: %w", index, r.err))
	}
	for first := 1; first <= size; first += rulesPerRequest {
		var names []smi.OID
		for at := first; at <= min(size, first+rulesPerRequest-1); at++ {
			for _, o := range []*module.Object{module.FlowRuleSelector, module.FlowRuleMask, module.FlowRuleMatchedValue, module.FlowRuleAction, module.FlowRuleParameter} {
				names = append(names, o.At(row, uint32(at)))
			}
		}
		vars, err := c.get(ctx, names...)
		if err != nil {
			return nil, fmt.Errorf("reading the rules of ruleset %d: %w", index, err)
		}
		for v := vars; len(v) > 0; v = v[5:] {
			rs.Rules = append(rs.Rules, ruleset.Rule{
				Attr:  attr.Attr(r.int(&v[0], 0, math.MaxUint16)),
				Mask:  attr.MakeValue(r.octets(&v[1], attr.MaxAddress)...),
				Value: attr.MakeValue(r.octets(&v[2], attr.MaxAddress)...),
				Op:    ruleset.Opcode(r.int(&v[3], 1, int(ruleset.OpPopToAct))),
				Param: r.int(&v[4], 0, math.MaxUint16),
			})
		}
		if r.err != nil {
			return nil, c.wrap(fmt.Errorf("reading the rules of ruleset %d: %w", index, r.err))
		}
	}
	return rs, nil
}

// DestroyRuleSet removes a ruleset and its flows. A ruleset that a task refers
// to cannot be removed.
func (c *Client) DestroyRuleSet(ctx context.Context, index int) error {
	return c.destroy(ctx, index, module.FlowRuleInfoStatus)
}
