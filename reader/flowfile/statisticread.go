package flowfile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"rtfm/ruleset/attr"
)

// statistic adds a statistic in its text form.
func (b *builder) statistic(a attr.Attr, text []byte) error {
	form := a.Form()
	if string(text) == "0" && !form.IsNumber() {
		return nil
	}
	from := len(b.numbers)
	var err error
	if b.numbers, err = form.ParseStatistic(b.numbers, text); err != nil {
		return err
	}
	f := b.ofStatistic(a)
	f.counters = b.numbers[from:len(b.numbers):len(b.numbers)]
	return nil
}

// unknownPairs is the kind of packet pairs of turnaround times that do not tell it.
const unknownPairs = math.MaxUint8

// ofStatistic returns statistic a of the row, which is begun if it is not there yet.
func (b *builder) ofStatistic(a attr.Attr) *foundDistribution {
	f := b.of(a)
	switch {
	case a.CountsPairs() && f.Value.Len() == 0:
		b.pairs(f, unknownPairs)
	case a.Form() == attr.FormPackets:
		f.Value = attr.MakeValue(attr.MaxListed).Resize(attr.DistributionSize)
	}
	return f
}

// pairs sets the kind of packet pairs.
func (b *builder) pairs(f *foundDistribution, kind byte) {
	f.Value = attr.MakeValue(0, kind).Resize(attr.DistributionSize)
	i := int(kind)
	f.parameters = pairParameters[i : i+1 : i+1]
}

// pairParameters has each octet.
var pairParameters = func() (all [256]byte) {
	for i := range all {
		all[i] = byte(i)
	}
	return all
}()

// room makes room for the numbers of a statistic.
func (b *builder) room(f *foundDistribution) []uint64 {
	from := len(b.numbers)
	for range f.Counters() {
		b.numbers = append(b.numbers, 0)
	}
	return b.numbers[from:len(b.numbers):len(b.numbers)]
}

// part sets a part of statistic a.
func (b *builder) part(a attr.Attr, at int, text []byte) error {
	p := &partsOf(a)[at]
	if p.what == partWhole || p.name == "" {
		return b.statistic(a, text)
	}
	f := b.ofStatistic(a)
	if f.counters == nil {
		f.counters = b.room(f)
	}
	if p.what == partPairs {
		v, err := a.ParseMeasure(string(text[:min(len(text), 40)]))
		if err == nil {
			b.pairs(f, v.At(1))
		}
		return err
	}
	return p.set(f.counters, text)
}

// deltaPart sets what the interval added to a part of statistic a.
func (b *builder) deltaPart(a attr.Attr, at int, text []byte) error {
	f := b.ofStatistic(a)
	if f.delta == nil {
		f.delta = b.room(f)
	}
	return partsOf(a)[at].set(f.delta, text)
}

// set sets one of the numbers. Mean and deviation follow from others.
func (p *part) set(numbers []uint64, text []byte) error {
	var err error
	var ok bool
	switch p.what {
	case partMean, partDeviation:
		return nil
	case partSquares:
		numbers[attr.StatSquaresHigh], numbers[attr.StatSquaresLow], err = attr.ParseSquares(text)
	case partSeen:
		var flags uint8
		flags, err = attr.ParseFlagWords(string(text[:min(len(text), 60)]))
		numbers[0] = uint64(flags)
	default:
		if numbers[p.number], ok = parseUint(text); !ok {
			err = numberFault(text, 64)
		}
	}
	if err != nil && p.name != "" {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return err
}

// settle makes what the interval added to a statistic whole: what it does not add to is
// as it is now.
func (f *foundDistribution) settle() error {
	form := f.Attr.Form()
	if form == attr.FormBuckets {
		return nil
	}
	if f.counters == nil {
		return fmt.Errorf("%s: what the interval added is told, and not what there is", f.Attr)
	}
	if !isAdded(f.Attr) {
		f.delta = f.counters
	}
	if len(f.delta) == 0 {
		return nil
	}
	for _, p := range partsOf(f.Attr) {
		if !p.added && (p.what == partBound || p.what == partSeen) {
			f.delta[p.number] = f.counters[p.number]
		}
	}
	return nil
}

// statistic reads the object of a statistic.
func (s *jsonSource) statistic(a attr.Attr, value []byte) error {
	if a.Form() == attr.FormPackets {
		return s.packets(a, value)
	}
	list := partsOf(a)
	if len(list) == 1 {
		return fmt.Errorf("%q is an object", shown(value))
	}
	set := func(put func(attr.Attr, int, []byte) error, delta bool) func(name, value []byte) error {
		return func(name, value []byte) error {
			for i := range list {
				if list[i].name != string(name) || delta && !list[i].added || string(value) == "null" {
					continue
				}
				if list[i].isText() {
					value = unquoted(value)
				}
				return put(a, i, value)
			}
			return nil
		}
	}
	var delta []byte
	own := set(s.b.part, false)
	err := members(value, func(name, value []byte) error {
		if string(name) == "delta" {
			delta = value
			return nil
		}
		return own(name, value)
	})
	switch {
	case err != nil:
		return err
	case s.b.ofStatistic(a).counters == nil:
		return errors.New("the object has no numbers")
	case delta == nil || string(delta) == "null":
		return nil
	}
	return members(delta, set(s.b.deltaPart, true))
}

// packets reads the object of a FormPackets.
func (s *jsonSource) packets(a attr.Attr, value []byte) error {
	names := [...]string{"octets", "directions", "gaps", "flags"}
	var lists [len(names)][]byte
	found := 0
	err := members(value, func(name, value []byte) error {
		for i, n := range names {
			if n != string(name) {
				continue
			}
			if n := len(value); n < 2 || value[0] != '[' || value[n-1] != ']' {
				return fmt.Errorf("%q is no list", shown(value))
			}
			lists[i], found = bytes.TrimSpace(value[1:len(value)-1]), found+1
		}
		return nil
	})
	if err != nil {
		return err
	}
	if found != len(names) {
		return fmt.Errorf("want lists of %s", strings.Join(names[:], ", "))
	}
	f := s.b.ofStatistic(a)
	f.counters = s.b.room(f)
	for n := 1; ; n++ {
		var numbers [len(names)]int64
		ended := 0
		for i := range lists {
			if len(lists[i]) == 0 {
				ended++
				continue
			}
			first, rest, _ := bytes.Cut(lists[i], []byte{','})
			lists[i] = rest
			if numbers[i], err = strconv.ParseInt(string(bytes.TrimSpace(first[:min(len(first), 40)])), 10, 64); err != nil {
				return fmt.Errorf("%s: %q is not a number", names[i], shown(first))
			}
		}
		switch {
		case ended == len(lists):
			return nil
		case ended > 0:
			return fmt.Errorf("the lists of packets are not of one length: one ends before packet %d", n)
		case n > attr.MaxListed:
			return fmt.Errorf("more than %d packets", attr.MaxListed)
		case numbers[1] != 1 && numbers[1] != -1:
			return fmt.Errorf("directions: %d is neither 1 nor -1", numbers[1])
		case numbers[0] < 0 || numbers[2] < 0 || numbers[3] < 0:
			return fmt.Errorf("packet %d has a number below 0", n)
		}
		l, err := attr.ListedOf(uint64(numbers[0]), uint64(numbers[2]), uint64(numbers[3]), numbers[1] < 0)
		if err != nil {
			return err
		}
		f.counters[0], f.counters[n] = uint64(n), uint64(l)
	}
}
