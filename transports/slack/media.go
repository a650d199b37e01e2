package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
)

// thumbMark ends the reference of a file's small picture.
const thumbMark = "/thumb"

// OpenFile reads a file (docs: Working with files, url_private_download). Where it is, is asked for each time: an address may change,
// and the file may be deleted by now.
func (s *client) OpenFile(ctx context.Context, ref string) (io.ReadCloser, transports.File, error) {
	id, thumb := strings.CutSuffix(ref, thumbMark)
	var answer struct {
		File rawFile `json:"file"`
	}
	if err := s.call(ctx, "files.info", url.Values{"file": {id}, "count": {"0"}, "page": {"0"}}, &answer); err != nil {
		return nil, transports.File{}, err
	}
	f := &answer.File
	f.ID = id
	list := files([]rawFile{*f})
	if len(list) == 0 || list[0].Ref == "" {
		return nil, transports.File{}, transports.Refuse("item-not-found", "the file is no longer there", nil)
	}
	file, address := list[0], cmp.Or(f.Download, f.Private)
	if thumb {
		file, address = transports.File{ID: f.ID, Name: "thumbnail", MIME: "image/png", Size: -1}, f.Thumb
	}
	content, size, err := s.download(ctx, address)
	if err == nil && size >= 0 {
		file.Size = size
	}
	return content, file, err
}

// download opens what is at one of Slack's file servers. The token goes to no other one.
func (s *client) download(ctx context.Context, address string) (io.ReadCloser, int64, error) {
	u, err := url.Parse(address)
	if err != nil || !s.n.holdsFiles(u) {
		return nil, 0, transports.Refuse("item-not-found", "the file is not at Slack", nil)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, 0, transports.Refuse("item-not-found", "the file has no address", nil)
	}
	r.Header.Set("Authorization", "Bearer "+s.cred.token())
	r.Header.Set("Accept-Encoding", "identity") // its length has to be known
	answer, err := s.n.media.Do(r)
	if err != nil {
		return nil, 0, classify(fmt.Errorf("download a file: %w", bare(err)))
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, answer.ContentLength, nil
	}
	_ = answer.Body.Close() // nothing of it is wanted
	err = fmt.Errorf("download a file: status %d", answer.StatusCode)
	if answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests {
		return nil, 0, transports.Later(0, err)
	}
	return nil, 0, transports.Refuse("item-not-found", "Slack does not give the file out", err) // a redirect leads to its sign-in page
}

// bare removes the address that net/http adds to an error.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// holdsFiles reports whether an address is one of Slack's file servers, or of the configured API's.
func (n *Network) holdsFiles(u *url.URL) bool {
	if u.User != nil {
		return false
	}
	if origin := n.origin(); origin != "" && u.Scheme+"://"+u.Host == origin {
		return true
	}
	host := u.Hostname()
	return u.Scheme == "https" && (strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com") || strings.HasSuffix(host, ".slack-edge.com"))
}

// token is the token of this login: of the person, else of the bot.
func (c credentials) token() string { return cmp.Or(c.User, c.Bot) }
