package discord

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// backWindow is how many messages before the last known one are looked at for edits.
const backWindow = 50

// overtaken is how much older than the last known message one can be that was never delivered, since
// a later one came before it.
const overtaken = time.Minute

// maxPage is the most messages of one answer (docs: Get Channel Messages).
const maxPage = 100

// History reads past messages of a room, oldest first.
func (s *client) History(ctx context.Context, request transports.HistoryRequest) (transports.HistoryPage, error) {
	c, err := s.visibleChannel(ctx, request.Room)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	after, before := string(request.After), string(request.Before)
	if after != "" && !content.IsSnowflake(after) || before != "" && !content.IsSnowflake(before) {
		return transports.HistoryPage{}, transports.Refuse("item-not-found", "there is no such message", nil)
	}
	if after == "" {
		all, more, err := s.newest(ctx, c.ID, before, max(request.Limit, 1))
		return transports.HistoryPage{Events: s.past(c, all, ""), More: more}, err
	}
	limit := min(maxPage, max(request.Limit, 1))
	fresh, more, err := s.page(ctx, c.ID, after, "", limit)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	known, _, err := s.page(ctx, c.ID, "", following(after), backWindow)
	if err != nil {
		return transports.HistoryPage{}, err
	}
	return transports.HistoryPage{Events: s.past(c, append(known, fresh...), after), More: more && len(fresh) > 0}, nil
}

// newest reads the last messages of a channel before an id, or of all, and reports whether there may be earlier ones.
func (s *client) newest(ctx context.Context, channel, before string, limit int) (all []objects.Message, more bool, err error) {
	for len(all) < limit {
		want := min(maxPage, limit-len(all))
		page, full, err := s.page(ctx, channel, "", before, want)
		if err != nil {
			return nil, false, err
		}
		all = append(page, all...)
		if !full || len(page) == 0 {
			return all, false, nil
		}
		before = page[0].ID
	}
	return all, true, nil
}

// following is the next snowflake: "before" it, an id itself is among the answers.
func following(id string) string {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return id
	}
	return strconv.FormatUint(n+1, 10)
}

// page reads at most limit messages after or before an id, oldest first, and reports whether there were so many. One without
// an id cannot be shown.
func (s *client) page(ctx context.Context, channel, after, before string, limit int) (page []objects.Message, full bool, err error) {
	r := rest.Get("/channels/{}/messages", channel)
	r.Query = url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		r.Query.Set("after", after)
	}
	if before != "" {
		r.Query.Set("before", before)
	}
	err = s.paced(ctx, r, &page)
	full = len(page) >= limit
	page = slices.DeleteFunc(page, func(m objects.Message) bool { return !content.IsSnowflake(m.ID) })
	slices.SortFunc(page, func(a, b objects.Message) int { return objects.Order(a.ID, b.ID) })
	return page, full, err
}

// past makes events of past messages: those themselves that may not have been delivered before that of
// an id was, of the others the edits since.
func (s *client) past(c *objects.Channel, messages []objects.Message, after string) []transports.Event {
	var events []transports.Event
	for i := range messages {
		m := &messages[i]
		m.GuildID = c.GuildID
		if after == "" || snowflakeTime(m.ID).After(snowflakeTime(after).Add(-overtaken)) {
			events = append(events, s.convert(c, m))
		}
		if after != "" && objects.Order(m.ID, after) <= 0 && m.Edited != nil && m.Edited.After(snowflakeTime(after)) {
			events = append(events, s.edit(c, m))
		}
	}
	slices.SortStableFunc(events, func(a, b transports.Event) int { return a.At.Compare(b.At) })
	return events
}
