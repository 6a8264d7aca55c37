package export

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Lead is what the rows of one ruleset's flows in a collection have in common.
type Lead struct {
	Meter, RuleSetName string
}

// Leads finds the leads of rows. It is for one collection at a time.
type Leads map[string]*Lead

// leadEnd is the column behind those that are the same in all rows of a ruleset. As text
// within a value its quotes would be escaped.
var leadEnd = []byte(`,"FlowRuleSet":`)

// Of returns the lead of a row, the same pointer for all rows that have it.
func (l Leads) Of(row []byte) (*Lead, error) {
	end := bytes.Index(row, leadEnd)
	if end < 0 {
		return nil, fmt.Errorf("a row in the spool has no FlowRuleSet")
	}
	if lead := l[string(row[:end])]; lead != nil {
		return lead, nil
	}
	lead, err := readLead(append(bytes.Clone(row[:end]), '}'))
	if err == nil {
		l[string(row[:end])] = lead
	}
	return lead, err
}

// LeadOfCollection returns that of a collection's own row, which has no ruleset.
func LeadOfCollection(row []byte) (*Lead, error) { return readLead(row) }

func readLead(row []byte) (*Lead, error) {
	lead := new(Lead)
	if err := json.Unmarshal(row, lead); err != nil {
		return nil, fmt.Errorf("a row in the spool: %w", err)
	}
	return lead, nil
}
