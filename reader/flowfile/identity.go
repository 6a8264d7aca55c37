package flowfile

import (
	"bytes"
	"fmt"
	"strconv"

	"rtfm/reader/record"
)

// identity is what rows tell of the meter and the interval, and of the ruleset.
type identity struct {
	in      of
	ruleSet record.RuleSet // without number
	has     uint16         // which of record.Identity there are
}

// of is to what interval of what meter a row belongs.
type of struct {
	meter, boot       string
	epoch, start, end int64
}

// The places of record.Identity.
const (
	placeSchema = iota
	placeMeter
	placeBoot
	placeEpoch
	placeHash
	placeName
	placeRuleSet
	placeStart
	placeEnd
)

// needed are those that say to which collection a row belongs.
const needed = 1<<placeMeter | 1<<placeEpoch | 1<<placeStart | 1<<placeEnd

// parseIdentity reads what builder.set has put together.
func parseIdentity(raw []byte) (id identity, err error) {
	for len(raw) > 0 {
		place := raw[0]
		text, rest, _ := bytes.Cut(raw[1:], []byte{0})
		raw = rest
		id.has |= 1 << place
		ns := func(to *int64) {
			n, parseErr := strconv.ParseInt(string(text), 10, 64)
			if *to = n; parseErr != nil && err == nil {
				err = fmt.Errorf("%s: %q is not a time in nanoseconds", record.Identity()[place].Name, shown(text))
			}
		}
		switch place {
		case placeSchema:
			if string(text) != strconv.Itoa(record.Schema) {
				return id, fmt.Errorf("rows of schema %q, this program knows %d", shown(text), record.Schema)
			}
		case placeMeter:
			id.in.meter = string(text)
		case placeBoot:
			id.in.boot = string(text)
		case placeEpoch:
			ns(&id.in.epoch)
		case placeHash:
			id.ruleSet.Hash = string(text)
		case placeName:
			id.ruleSet.Name = string(text)
		case placeStart:
			ns(&id.in.start)
		case placeEnd:
			ns(&id.in.end)
		}
	}
	if err == nil && id.in.end < id.in.start && id.has&needed == needed {
		err = fmt.Errorf("the interval ends, at %d, before it begins, at %d", id.in.end, id.in.start)
	}
	return id, err
}
