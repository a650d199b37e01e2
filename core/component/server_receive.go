package component

import (
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// receive checks one stanza of a component and routes it. An error ends the stream.
func (s *Server) receive(b *router.Batch, e *endpoint, it *stream.Item) error {
	st, err := it.Stanza()
	malformed, isMalformed := errors.AsType[*stanza.Error](err)
	if isMalformed {
		st.From, _ = jid.Parse(it.Attr("from")) // an error about to leaves From unset
	} else if err != nil {
		return err
	}
	// RFC 6120 §8.1.2.2, as for servers: a component sends for its own domain only.
	if st.From.Domain() != e.Domain.String() {
		return stream.NewError(stream.InvalidFrom, "")
	}
	if st.To.IsZero() && !isMalformed {
		return stream.NewError(stream.ImproperAddressing, "to is missing") // RFC 6120 §8.1.1.2
	}
	if isMalformed {
		s.cfg.Router.Bounce(b, st, malformed)
		return nil
	}
	s.cfg.Router.RouteIn(b, st)
	return nil
}
