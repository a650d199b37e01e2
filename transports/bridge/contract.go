package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
)

// memberPage is how many members of a room are asked for at once.
const memberPage = 200

// listMembers reads at most limit members of a room, page by page.
func listMembers(ctx context.Context, lister transports.MemberLister, room transports.RoomID, limit int) ([]transports.UserInfo, error) {
	var people []transports.UserInfo
	request := transports.MemberRequest{Room: room}
	for len(people) < limit {
		request.Limit = min(memberPage, limit-len(people))
		page, err := lister.Members(ctx, request)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Members {
			if m.Membership != transports.Joined && m.Membership != "" || len(people) == limit {
				continue
			}
			if m.Nick != "" {
				m.User.Name = m.Nick
			}
			people = append(people, m.User)
		}
		if page.Next == "" || page.Next == request.After {
			break
		}
		request.After = page.Next
	}
	return people, nil
}

// ref names a message of the network in the call's room.
func (c *call) ref(id transports.MessageID) transports.MessageRef {
	return transports.MessageRef{Room: c.room.Net, ID: id}
}

// ownerID is what networks are given to tell the owners of logins apart.
func (g *Gateway) ownerID(owner jid.JID) transports.OwnerID {
	return transports.OwnerID(hash("owner", g.domain.String(), owner.Bare().String()))
}
