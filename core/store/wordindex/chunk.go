package wordindex

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/dragoman-im/dragoman/core/search"
)

// A chunk is the lists of some terms: for each the difference to the term before (for the first one, to that of the chunk's key), the
// number of positions, the first position, and the differences between them. All numbers are varints; positions are zigzag-encoded,
// as those of a room's history are below zero.
// A list that does not fit has chunks of its own with the same term, numbered as parts; a chunk that begins with a term
// has its whole list, or is the first part of it.
const (
	chunkSize = 1900 // bytes: larger values have pages of their own on PostgreSQL
	partSize  = 300  // positions
)

// chunk is a row.
type chunk struct {
	term, part int64
	data       []byte
}

var errChunk = errors.New("word index is damaged")

// builder makes chunks of lists that are added in the order of their terms.
type builder struct {
	chunks []chunk
	open   bool
	last   search.Term
	record []byte
}

func (b *builder) add(term search.Term, positions []int64) {
	if len(positions) > partSize {
		b.open = false
		for part := int64(0); len(positions) > 0; part++ {
			n := min(len(positions), partSize)
			b.chunks = append(b.chunks, chunk{int64(term), part, appendList(nil, 0, positions[:n])})
			positions = positions[n:]
		}
		return
	}
	b.record = appendList(b.record[:0], uint64(term-b.last), positions)
	if !b.open || len(b.chunks[len(b.chunks)-1].data)+len(b.record) > chunkSize {
		b.record = appendList(b.record[:0], 0, positions)
		b.chunks = append(b.chunks, chunk{term: int64(term), data: make([]byte, 0, chunkSize)})
		b.open = true
	}
	c := &b.chunks[len(b.chunks)-1]
	c.data = append(c.data, b.record...)
	b.last = term
}

func appendList(dst []byte, step uint64, positions []int64) []byte {
	dst = binary.AppendUvarint(dst, step)
	dst = binary.AppendUvarint(dst, uint64(len(positions)))
	dst = binary.AppendVarint(dst, positions[0])
	for i, p := range positions[1:] {
		dst = binary.AppendUvarint(dst, uint64(p-positions[i]))
	}
	return dst
}

// build makes the chunks of a segment.
func build(docs []Doc) []chunk {
	n := 0
	for i := range docs {
		n += len(docs[i].Terms)
	}
	all := make([]uint64, 0, n) // term and index of the document
	for i := range docs {
		for _, t := range docs[i].Terms {
			all = append(all, uint64(t)<<32|uint64(i))
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var b builder
	var positions []int64
	for i := 0; i < len(all); {
		term := all[i] >> 32
		positions = positions[:0]
		for ; i < len(all) && all[i]>>32 == term; i++ {
			positions = append(positions, docs[uint32(all[i])].Position)
		}
		b.add(search.Term(term), positions)
	}
	return b.chunks
}

// reader reads the lists of chunks one after the other.
type reader struct {
	data []byte
	term search.Term
}

// next returns the next list of the chunk, appended to dst; ok is false at the end.
func (r *reader) next(dst []int64) (term search.Term, list []int64, ok bool, err error) {
	if len(r.data) == 0 {
		return 0, dst, false, nil
	}
	step, n, first, err := r.head()
	if err != nil {
		return 0, dst, false, err
	}
	r.term += search.Term(step)
	list = append(dst, first)
	for range n - 1 {
		d, used := binary.Uvarint(r.data)
		if used <= 0 {
			return 0, dst, false, errChunk
		}
		r.data = r.data[used:]
		first += int64(d)
		list = append(list, first)
	}
	return r.term, list, true, nil
}

// head reads what precedes the differences of a list.
func (r *reader) head() (step, n uint64, first int64, err error) {
	for _, v := range [...]*uint64{&step, &n} {
		x, used := binary.Uvarint(r.data)
		if used <= 0 {
			return 0, 0, 0, errChunk
		}
		*v, r.data = x, r.data[used:]
	}
	first, used := binary.Varint(r.data)
	if used <= 0 || n == 0 || n > uint64(len(r.data)) {
		return 0, 0, 0, errChunk
	}
	r.data = r.data[used:]
	return step, n, first, nil
}
