package feature

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"
)

// Label is what a scorer says that a flow is, and how sure it is, in its own measure.
type Label struct {
	Name  string
	Score float64
}

// Answer is a label for the flow with this identifier: of the meters of a domain, or of
// any.
type Answer struct {
	Flow   uint64
	Domain uint32
	Any    bool // domain
	Label
}

const (
	maxAnswer = 4096 // octets of a line
	maxLabel  = 64
)

// parseAnswer reads an answer.
func parseAnswer(line []byte) (Answer, error) {
	var said struct {
		FlowID string
		Domain *uint32
		Label  string
		Score  float64
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return Answer{}, err
	}
	a := Answer{Label: Label{said.Label, said.Score}, Any: said.Domain == nil}
	if !a.Any {
		a.Domain = *said.Domain
	}
	id, err := hex.DecodeString(said.FlowID)
	if err != nil || len(id) != 8 {
		return Answer{}, fmt.Errorf("FlowID %q is not 16 hexadecimal digits", said.FlowID)
	}
	for _, b := range id {
		a.Flow = a.Flow<<8 | uint64(b)
	}
	if err := checkLabel(a.Name); err != nil {
		return Answer{}, err
	}
	if math.IsInf(a.Score, 0) || math.IsNaN(a.Score) {
		return Answer{}, errors.New("score is no number")
	}
	return a, nil
}

// checkLabel says what is wrong with a label.
func checkLabel(name string) error {
	if name == "" || len(name) > maxLabel || !utf8.ValidString(name) {
		return fmt.Errorf("label %.70q is not 1 to %d octets of text", name, maxLabel)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("label %q has %q in it", name, r)
		}
	}
	return nil
}

// answers gives flows the labels that have come.
func (t *Table) answers() error {
	s := t.cfg.Scorer
	if s == nil {
		return nil
	}
	s.mu.Lock()
	all := s.answers
	s.answers = nil
	s.mu.Unlock()
	for i := range all {
		if err := t.answer(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

// answer gives a label to the flows that it is for.
func (t *Table) answer(a *Answer) error {
	known := false
	for m, mt := range t.meters {
		f := mt.flows[a.Flow]
		if f == nil || !a.Any && m.Domain != a.Domain {
			continue
		}
		known = true
		f.label = a.Label
		if t.cfg.Labelled == nil {
			continue
		}
		if err := t.cfg.Labelled(m, a.Flow, a.Label); err != nil {
			return err
		}
	}
	if !known {
		s := t.cfg.Scorer
		s.mu.Lock()
		s.counts.Unknown++
		s.mu.Unlock()
	}
	return nil
}
