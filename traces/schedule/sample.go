package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Kind is how packets are chosen for a sample.
type Kind uint8

// Systematic takes each N-th packet (RFC 5475 section 5.1, count-based); the seed says
// which is the first. Random takes each with probability 1/N (section 5.2.2.1, uniform
// probabilistic). Flow takes all packets of flows of which one of N has such a FlowID
// (section 6.2, hash-based, where the hash is the flow's identifier).
const (
	Systematic Kind = iota
	Random
	Flow
)

// kinds are the names of the kinds.
var kinds = [...]string{"systematic", "random", "flow"}

// String returns the name.
func (k Kind) String() string { return kinds[k] }

// Sample says which of all packets are taken. The zero value takes all.
type Sample struct {
	Of   uint64 // one of so many; 0 and 1 are all
	Kind Kind
	Seed uint64
}

// MaxSample is the most packets of which one is taken.
const MaxSample = math.MaxUint32

// ParseSample reads a sample as String writes it, such as 1/100:flow. It is systematic if
// it does not tell.
func ParseSample(text string) (s Sample, err error) {
	rate, kind, told := strings.Cut(text, ":")
	of, isRate := strings.CutPrefix(rate, "1/")
	if !isRate {
		return s, fmt.Errorf("%q is no sample: want 1/N, such as 1/100 for one of 100 packets, or 1/100:random, or 1/100:flow for whole flows", text)
	}
	n, err := strconv.ParseUint(of, 10, 32)
	if err != nil || n == 0 {
		return s, fmt.Errorf("%q: %q is no number of packets: want 1 to %d, as the 100 of 1/100", text, of, uint64(MaxSample))
	}
	s.Of = n
	if !told {
		return s, nil
	}
	for k, name := range kinds {
		if kind == name {
			s.Kind = Kind(k)
			return s, nil
		}
	}
	return Sample{}, fmt.Errorf("%q: %q is no kind of sample: want systematic, random or flow", text, kind)
}

// String returns the sample as ParseSample reads it, without its seed.
func (s Sample) String() string { return fmt.Sprintf("1/%d:%v", s.Of, s.Kind) }

// sampler takes a sample.
type sampler struct {
	Sample
	wait   uint64    // packets before the next one, of a systematic one
	pcg    *rand.PCG // of a random one
	least  uint64    // below which numbers are taken, of random and flow
	change uint64    // of FlowIDs, by the seed
}

// newSampler returns what takes s, nil for what takes all.
func newSampler(s Sample) *sampler {
	if s.Of <= 1 {
		return nil
	}
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], s.Seed)
	sum := sha256.Sum256(seed[:])
	r := &sampler{Sample: s, least: math.MaxUint64/s.Of + 1}
	first := binary.BigEndian.Uint64(sum[:])
	switch s.Kind {
	case Systematic:
		r.wait = first % s.Of
	case Random:
		r.pcg = rand.NewPCG(first, binary.BigEndian.Uint64(sum[8:]))
	case Flow:
		if s.Seed != 0 {
			r.change = first
		}
	}
	return r
}

// take reports whether the next packet is in the sample; flowID is that of its flow, for a
// sample of flows.
func (r *sampler) take(flowID uint64) bool {
	switch r.Kind {
	case Random:
		return r.pcg.Uint64() < r.least
	case Flow:
		return flowID^r.change < r.least
	}
	if r.wait > 0 {
		r.wait--
		return false
	}
	r.wait = r.Of - 1
	return true
}
