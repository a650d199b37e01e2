package peerlimit

import (
	"hash/maphash"
	"net"
	"net/netip"
)

const (
	wideBits   = 48
	wideFactor = 16 // limits of an IPv6 /48 are those of a /64 times this
	levels     = 2  // of networks that an address belongs to
)

// Address returns the IP address of the other end of a connection, the zero value if it has none.
func Address(nc net.Conn) netip.Addr {
	if a, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
		return a.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// Network returns the network of an address that counts as one client: the address itself, or its /64 for IPv6.
func Network(a netip.Addr) netip.Prefix { return networks(a)[0] }

// networks returns the networks of an address, the narrowest first; the second is the zero value for IPv4.
func networks(a netip.Addr) (list [levels]netip.Prefix) {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		list[0], _ = a.Prefix(64)
		list[1], _ = a.Prefix(wideBits)
		return list
	}
	list[0], _ = a.Prefix(a.BitLen())
	return list
}

// scaled returns the limit of a network: level 0 is the narrowest one.
func scaled(limit, level int) int {
	if level > 0 {
		return limit * wideFactor
	}
	return limit
}

// newIndex returns a keyed hash of a network, a name, or both: an index in a table with 1<<bits entries.
func newIndex(bits int) func(netip.Prefix, string) uint64 {
	seed := maphash.MakeSeed()
	return func(of netip.Prefix, name string) uint64 {
		var h maphash.Hash
		h.SetSeed(seed)
		b := of.Addr().As16()
		_, _ = h.Write(b[:]) // never fails
		_ = h.WriteByte(byte(of.Bits()))
		_, _ = h.WriteString(name)
		return h.Sum64() >> (64 - bits)
	}
}
