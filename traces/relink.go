package traces

// Relink returns a source of src's packets with their link types replaced as
// links says: for numbers for private use (LINKTYPE_USER0 to 15), or others,
// that mean something in the trace at hand.
func Relink(src Source, links map[LinkType]LinkType) Source {
	if len(links) == 0 {
		return src
	}
	return &relinked{Source: src, links: links}
}

type relinked struct {
	Source
	links    map[LinkType]LinkType
	from, to LinkType // of the packet before
}

// ReadBatch implements Source.
func (r *relinked) ReadBatch(b *Batch) error {
	err := r.Source.ReadBatch(b)
	for i := range b.Packets {
		p := &b.Packets[i]
		if p.Link != r.from || r.from == 0 {
			r.from, r.to = p.Link, p.Link
			if to, ok := r.links[p.Link]; ok {
				r.to = to
			}
		}
		p.Link = r.to
	}
	return err
}
