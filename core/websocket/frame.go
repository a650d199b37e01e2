package websocket

import (
	"encoding/binary"
)

// opcode is the kind of a frame (RFC 6455 §5.2).
type opcode byte

const (
	continuation opcode = 0x0
	text         opcode = 0x1
	binaryData   opcode = 0x2
	closing      opcode = 0x8
	ping         opcode = 0x9
	pong         opcode = 0xA
)

func (o opcode) isControl() bool { return o&0x8 != 0 }

// Codes of the close frame (RFC 6455 §7.4.1).
const (
	normalClosure   = 1000
	protocolError   = 1002
	unsupportedData = 1003
)

const (
	finBit     = 0x80
	maskBit    = 0x80
	maxControl = 125 // bytes of a control frame (RFC 6455 §5.5)
	maxHeader  = 14
)

// header is what comes before the payload of a client's frame.
type header struct {
	fin    bool
	opcode opcode
	length uint64
	mask   [4]byte
}

// parseHeader reads a header from the beginning of b and returns its size, 0 if b ends before it. A broken one has the code for the
// close frame.
func parseHeader(b []byte) (h header, size int, code uint16) {
	if len(b) < 2 {
		return h, 0, 0
	}
	h.fin, h.opcode = b[0]&finBit != 0, opcode(b[0]&0xF)
	length := int(b[1] &^ maskBit)
	switch {
	case b[0]&0x70 != 0: // RFC 6455 §5.2: no extension gives these bits a meaning
		return h, 0, protocolError
	case b[1]&maskBit == 0: // RFC 6455 §5.1
		return h, 0, protocolError
	case h.opcode == binaryData: // RFC 7395 §3.2
		return h, 0, unsupportedData
	case h.opcode > binaryData && h.opcode < closing || h.opcode > pong:
		return h, 0, protocolError
	case h.opcode.isControl() && (!h.fin || length > maxControl): // RFC 6455 §5.5
		return h, 0, protocolError
	}
	size = 2
	switch length {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if len(b) < size+4 {
		return h, 0, 0
	}
	switch h.length = uint64(length); length {
	case 126:
		h.length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		h.length = binary.BigEndian.Uint64(b[2:])
	}
	if length == 126 && h.length < 126 || length == 127 && h.length <= 0xFFFF || h.length >= 1<<63 {
		return h, 0, protocolError // RFC 6455 §5.2: the shortest form
	}
	copy(h.mask[:], b[size:])
	return h, size + 4, 0
}

// appendHeader appends the header of a frame that a server sends: the whole of a message, without a mask.
func appendHeader(dst []byte, o opcode, length int) []byte {
	dst = append(dst, finBit|byte(o))
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length <= 0xFFFF:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(dst, 127), uint64(length))
}

// unmask applies the mask to b (RFC 6455 §5.3).
func unmask(b []byte, mask [4]byte) {
	four := binary.LittleEndian.Uint32(mask[:])
	eight := uint64(four)<<32 | uint64(four)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^eight)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= mask[i&3]
	}
}
