package stream

import "rtfm/meter/prefetch"

// do does jobs, one after the other. If there are more streams than are in the cache,
// it fetches what some of them need before it does those.
func (e *Engine) do(all *jobs) {
	rest := all.between
	for from := 0; from < len(all.list); from += ahead {
		some := all.list[from:min(from+ahead, len(all.list))]
		var streams [ahead]uint32 // that jobs may be of, 0 for none
		if e.streams.active > e.near {
			e.fetchSoles(all, some)
			e.fetchStreams(all, some, &streams)
			e.fetchNumbers(some, &streams)
		}
		for i := range some {
			for len(rest) > 0 && rest[0].before == from+i {
				rest = e.step(rest)
			}
			j := &some[i]
			e.inStream(j.row, int(j.packet&1), all.packet(j), streams[i%ahead], uint64(j.octets), j.now)
		}
	}
	for len(rest) > 0 {
		rest = e.step(rest)
	}
}

// fetchSoles prefetches where it is told what the streams of jobs are, and their digests.
func (e *Engine) fetchSoles(all *jobs, some []job) {
	var soles [ahead]*sole
	var digests [ahead]*digest
	for i := range some {
		j := &some[i]
		digests[i%ahead] = all.packet(j).digest()
		if int(j.row) < len(e.soles) {
			soles[i%ahead] = &e.soles[j.row]
		}
	}
	prefetch.Lines(soles[:len(some)])
	prefetch.Lines(digests[:len(some)])
}

// fetchStreams prefetches the only streams of jobs' flows, with their sequences, and of
// flows with more than one what tells which it is: the hashes of those it sets.
func (e *Engine) fetchStreams(all *jobs, some []job, hashes *[ahead]uint32) {
	var streams [ahead]*hot
	var others [ahead]*[2]sequence
	var index [ahead]*uint64
	t := &e.streams
	for i := range some {
		j := &some[i]
		if int(j.row) >= len(e.soles) {
			continue
		}
		if known := e.soles[j.row].stream(); known != 0 {
			streams[i%ahead] = t.at(known).hot
			if int(known/streamBlock) < len(e.sequences.blocks) {
				others[i%ahead] = e.sequences.at(known)
			}
			continue
		}
		k := all.packet(j).key() // a packet of no stream has any key
		hash := t.hash(&k, j.row)
		hashes[i%ahead], index[i%ahead] = hash, &t.index[hash&t.mask]
	}
	prefetch.Lines(streams[:len(some)])
	prefetch.Lines(others[:len(some)])
	prefetch.Lines(index[:len(some)])
}

// fetchNumbers finds the streams that are not the only ones of their flows, as far as
// there are any, by their hashes, and prefetches them. Of the others it prefetches what
// they lead to: the requests that wait, and the numbers that answers change.
func (e *Engine) fetchNumbers(some []job, found *[ahead]uint32) {
	var numbers [ahead]*uint64
	var requests [2 * ahead]*request
	var streams [ahead]*hot
	var keys [ahead]*cold
	t := &e.streams
	for i := range some {
		j := &some[i]
		if int(j.row) >= len(e.soles) {
			continue
		}
		known := e.soles[j.row]
		if known == 0 {
			at := t.first(found[i%ahead])
			if found[i%ahead] = at; at != 0 {
				s := t.at(at)
				streams[i%ahead], keys[i%ahead] = s.hot, s.cold
			}
			continue
		}
		s := t.at(known.stream())
		if !known.single() {
			keys[i%ahead] = s.cold
		}
		if took := &e.store.planOf(s.flow).took[1-j.packet&1]; took.wanted {
			numbers[i%ahead] = &e.store.wordsOf(s.flow)[took.at]
		}
		for end := range s.queues {
			if all := e.requests.all(&s.queues[end]); len(all) > 0 {
				requests[2*i+end] = &all[0]
			}
		}
	}
	prefetch.Lines(numbers[:len(some)])
	prefetch.Lines(streams[:len(some)])
	prefetch.Lines(keys[:len(some)])
	prefetch.Lines(requests[:2*len(some)])
}

// step does the first of these and returns the others.
func (e *Engine) step(all []step) []step {
	if b := &all[0]; b.shape != nil {
		e.beginFlow(b.row, b.shape, b.single, b.now)
	} else {
		e.Advance(b.now)
	}
	return all[1:]
}

// packet returns the packet of j.
func (all *jobs) packet(j *job) Packet { return Packet{all.packets[j.of], int(j.packet >> 1)} }
