package flow

import (
	"encoding/binary"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/keyhash/keyhashtest"
)

// passed returns how many entries must be passed by to find each entry of the
// index, the sum of all.
func (x *index) passed() (n int) {
	var before *segment
	for _, s := range x.directory {
		if s == before {
			continue
		}
		before = s
		for ; s != nil; s = s.more {
			for i, e := range s.slots {
				if e != 0 {
					n += int((uint32(i) - e.hash()) % segmentLen)
				}
			}
		}
	}
	return n
}

// TestTableUnderAttack wants flows to be found soon whose packets were made so
// that their keys collide: of IPv6 and of CLNS, with adjacent addresses. The
// prefix 157c:4a7f:b979:379e::/64 is among the attacks.
func TestTableUnderAttack(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, on one goroutine")
	}
	var shapes match.Shapes
	var saved []match.Saved
	for _, a := range []attr.Attr{
		attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransAddress, attr.DestTransAddress,
		attr.SourceAdjacentAddress, attr.DestAdjacentAddress, attr.SourceInterface, attr.DestInterface,
		attr.SourceASN, attr.DestASN,
	} {
		saved = append(saved, match.Saved{Attr: a, Mask: attr.Ones(a.Info().Size)})
	}
	k := match.FlowKey{Shape: shapes.Intern(2, attr.MaxAddress, attr.MaxAdjacent, saved)}
	for _, attack := range keyhashtest.Attacks(8) {
		tab := New(keyhashtest.Keys)
		var key, reverse Key
		for i := range keyhashtest.Keys {
			var w [8]uint64
			attack.Set(i, w[:])
			for j, x := range w { // the first four words of each end
				binary.LittleEndian.PutUint64(k.Key[j/4*attr.EndSize+j%4*8:], x)
			}
			tab.Prepare(&key, &k)
			tab.PrepareReverse(&reverse, &key) // which has the same hash
			if tab.Find(&key) == 0 && tab.Find(&reverse) == 0 && tab.Create(&key, 1) == 0 {
				t.Fatalf("%s: flow %d was not made", attack.Name, i)
			}
		}
		// A segment is a quarter full at most: each entry passes 1/6 on average.
		if n := tab.index.passed(); n > keyhashtest.Keys/2 {
			t.Errorf("%s: to find %d flows %d others are passed", attack.Name, tab.Active(), n)
		}
	}
}

// TestTableHasRoomForAnyHashes fills tables with flows of one hash, and of hashes
// that begin alike: as long as there is room in the table there is in its index.
func TestTableHasRoomForAnyHashes(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, on one goroutine")
	}
	for name, hash := range map[string]func(i uint32) uint32{
		"one hash":          func(uint32) uint32 { return 0x12345678 },
		"one segment":       func(i uint32) uint32 { return 0xabcde000 | i%segmentLen },
		"others among them": func(i uint32) uint32 { return 0xabcde000 | i*0x9e3779b9>>(i%32) },
	} {
		const flows = 2*segmentLen + 100
		var shapes match.Shapes
		tab := New(flows)
		keys := make([]Key, flows)
		for i := range keys {
			k := full(&shapes, uint32(i))
			tab.Prepare(&keys[i], &k)
			keys[i].hash = hash(uint32(i))
			if tab.Find(&keys[i]) != 0 {
				t.Fatalf("%s: flow %d is found before it was made", name, i)
			}
			if row := tab.Create(&keys[i], 1); row != uint32(i)+1 {
				t.Fatalf("%s: flow %d of %d is in row %d", name, i, flows, row)
			}
		}
		for i := range keys {
			if row := tab.Find(&keys[i]); row != uint32(i)+1 {
				t.Fatalf("%s: flow %d is found in row %d", name, i, row)
			}
			if !tab.Alike(&keys[i]) {
				t.Fatalf("%s: none is like flow %d", name, i)
			}
		}
		// Taken out in another order than they were put in.
		for i := range keys {
			n := uint32(i*4099) % flows
			tab.index.remove(entry(keys[n].hash, n+1))
			if tab.Find(&keys[n]) != 0 {
				t.Fatalf("%s: flow %d is found after it was taken out", name, n)
			}
			if next := uint32((i+1)*4099) % flows; i+1 < flows && tab.Find(&keys[next]) != next+1 {
				t.Fatalf("%s: flow %d is lost after %d was taken out", name, next, n)
			}
		}
	}
}
