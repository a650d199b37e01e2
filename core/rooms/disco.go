package rooms

import (
	"context"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"

	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Page sizes of the list of rooms: for a request with XEP-0059, and for one without.
const (
	roomsPage    = 200
	maxRoomsPage = 1000
)

// serve handles a stanza that is addressed to the service itself (XEP-0045 §6.2, §6.3).
func (s *Service) serve(ctx context.Context, st *stanza.Stanza) {
	if st.Type == stanza.TypeError || st.Type == stanza.TypeResult || st.Kind == stanza.Presence {
		return
	}
	var answer *stanza.Element
	var err error = stanza.ServiceUnavailable("")
	if st.Kind == stanza.IQ {
		answer, err = s.answer(ctx, st)
	}
	if err != nil {
		refuse(s.opts.Endpoint.Send, st, s.fault(err, st.To))
		return
	}
	s.opts.Endpoint.Send(st.Result(answer))
}

func (s *Service) answer(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	query := st.FirstChild()
	if query == nil || !st.IsRequest() {
		return nil, stanza.BadRequest("An IQ request has one child element.")
	}
	node := query.Attr("node")
	switch {
	case st.Type == stanza.TypeGet && query.Is(disco.NSInfo, "query") && node == "":
		return s.Info().Element(""), nil
	case st.Type == stanza.TypeGet && query.Is(disco.NSItems, "query") && node == "":
		return s.Items(ctx, st.From.Bare(), query)
	case st.Type == stanza.TypeGet && query.Is(muc.NSPing, "ping"):
		return nil, nil
	case s.opts.Query != nil:
		return s.opts.Query(ctx, st)
	case node != "" && (query.Space == disco.NSInfo || query.Space == disco.NSItems):
		return nil, stanza.ItemNotFound("") // XEP-0030 §3.2
	}
	return nil, stanza.ServiceUnavailable("")
}

// Info describes the service.
func (s *Service) Info() disco.Info {
	info := s.opts.Info
	if len(info.Identities) == 0 {
		info.Identities = []disco.Identity{{Category: "conference", Type: "text"}}
	}
	own := []string{muc.NS, muc.NSStable, disco.NSInfo, disco.NSItems, paging.NS, muc.NSPing}
	info.Features = append(own, info.Features...)
	return info
}

// Items answers a disco#items query with the rooms that are visible to who, a bare JID.
func (s *Service) Items(ctx context.Context, who jid.JID, query *stanza.Element) (*stanza.Element, error) {
	page, asked, err := paging.Parse(query)
	if err != nil {
		return nil, err
	}
	usual := maxRoomsPage
	if asked {
		usual = roomsPage
	}
	items, answer, err := s.opts.Policy.List(ctx, who, page.Limit(usual, maxRoomsPage))
	if err != nil {
		return nil, err
	}
	whole := !asked && answer.Count == len(items)
	if whole || answer.Count == 0 { // XEP-0059 §2.2: an empty set has no <set/>
		return disco.ItemsElement("", items, nil), nil
	}
	return disco.ItemsElement("", items, &answer), nil
}
