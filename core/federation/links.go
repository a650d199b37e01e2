package federation

import (
	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/s2s"
)

// Links shows administrators the connections with other servers.
func (f *Federation) Links() admin.LinkKeeper { return linkKeeper{f.Server} }

// linkKeeper is the Server as administrators see it.
type linkKeeper struct{ *s2s.Server }

func (k linkKeeper) LinkStatistics() admin.LinkStatistics {
	n := k.Statistics()
	return admin.LinkStatistics{
		Domains: n.Domains, In: n.In, Out: n.Out, Both: n.Both, Connecting: n.Connecting, Failing: n.Failing, Waiting: n.Waiting,
		WaitingBytes: n.WaitingBytes, QueuedBytes: n.QueuedBytes, Resumable: n.ResumableIn + n.ResumableOut,
	}
}

func (k linkKeeper) Connections(max int) []admin.Connection {
	var list []admin.Connection
	for _, c := range k.Server.Connections(max) {
		one := admin.Connection{Ours: c.Ours, Theirs: c.Theirs, Incoming: c.Incoming, Both: c.Bidi, Since: c.Since, Waiting: c.Waiting}
		if c.Failure != nil {
			one.Failure = c.Failure.Error()
		}
		list = append(list, one)
	}
	return list
}
