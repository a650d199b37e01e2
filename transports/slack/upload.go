package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
)

// What Slack takes of files (docs: Working with files).
const (
	maxFileSize = 1 << 30
	maxFiles    = 10
	maxAlt      = 1000 // characters (docs: files.getUploadURLExternal, alt_txt)
)

// shareTime is how long Slack may take to show files that were completed: the answer has no message, and the share comes after it.
const (
	shareTime  = 20 * time.Second
	shareFirst = 200 * time.Millisecond // between two looks, and twice as long before each further one
)

// upload is a file of ours at Slack.
type upload struct {
	ID    string `json:"id"`
	Title string `json:"title,omitempty"`
}

// sendFiles posts a message with files in three steps (docs: files.getUploadURLExternal, files.completeUploadExternal). The ids of the
// files are kept before the last one, so that a repeated attempt finds out whether that was taken. list are the files of an earlier attempt.
func (s *client) sendFiles(ctx context.Context, channel string, m transports.Outgoing, list []upload) (transports.Sent, error) {
	if list == nil {
		for _, f := range m.Files {
			u, err := s.upload(ctx, f)
			if err != nil {
				return transports.Sent{}, err
			}
			list = append(list, u)
		}
		done, err := json.Marshal(list)
		if err != nil {
			return transports.Sent{}, err
		}
		if m.Steps.Save != nil {
			if err := m.Steps.Save(ctx, string(done)); err != nil {
				return transports.Sent{}, transports.Later(0, err)
			}
		}
	}
	err := s.completeUpload(ctx, channel, m, list)
	if code := webapi.Code(err); err != nil && code != codeNoFile { // that is what an earlier attempt has completed
		return transports.Sent{}, err
	}
	ts, err := s.awaitShare(ctx, channel, list[0].ID)
	if err == nil && ts == "" { // counted, so that the messages behind it do not wait for ever
		err = &transports.Error{
			Class: transports.Retry, Text: "Slack does not show the files", After: shareTime, Unreadable: true,
			Err: fmt.Errorf("the files are not shown in %s", channel),
		}
	}
	return s.sentFiles(ts), err
}

// Codes of files.info (docs: errors).
const (
	codeNoFile      = "file_not_found" // also of one that was uploaded and not completed
	codeDeletedFile = "file_deleted"
)

// uploads reads what sendFiles has kept.
func uploads(steps transports.Steps) (list []upload, err error) {
	if steps.Done == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(steps.Done), &list); err != nil || len(list) == 0 {
		return nil, fmt.Errorf("read the ids of files: %w", errors.Join(err, webapi.ErrNonsense))
	}
	return list, nil
}

// settle finds out whether an earlier attempt has written a message: by the history of the channel, and for files whose message may be
// on its way by files.info. over is set where it has; left are the files that wait to be completed.
func (s *client) settle(ctx context.Context, channel string, m transports.Outgoing, list []upload) (sent transports.Sent, over bool, left []upload, err error) {
	ts, err := s.find(ctx, channel, m, list)
	if err != nil || ts != "" {
		return s.sentFiles(ts), ts != "", nil, err
	}
	if len(list) == 0 {
		return sent, false, nil, nil
	}
	ts, err = s.awaitShare(ctx, channel, list[0].ID)
	switch code := webapi.Code(err); {
	case code == codeNoFile:
		return sent, false, nil, nil // never completed: it is uploaded again
	case code == codeDeletedFile:
		return transports.Sent{At: time.Now()}, true, nil, nil // it was shown, and somebody has deleted it
	case err != nil:
		return sent, false, nil, err
	}
	return s.sentFiles(ts), ts != "", list, nil
}

func (s *client) sentFiles(ts string) transports.Sent {
	return transports.Sent{ID: transports.MessageID(ts), At: stampTime(ts)}
}

// upload is the first two steps: the address, and the bytes.
func (s *client) upload(ctx context.Context, f transports.OutgoingFile) (upload, error) {
	if f.Size > maxFileSize {
		return upload{}, fileError("Slack takes files of up to 1 GiB", nil)
	}
	args := url.Values{"filename": {f.Name}, "length": {strconv.FormatInt(f.Size, 10)}}
	if f.Alt != "" {
		alt := []rune(f.Alt)
		args.Set("alt_txt", string(alt[:min(len(alt), maxAlt)]))
	}
	var answer struct {
		URL string `json:"upload_url"`
		ID  string `json:"file_id"`
	}
	if err := s.call(ctx, "files.getUploadURLExternal", args, &answer); err != nil {
		if transports.ClassOf(err) == transports.Refused {
			return upload{}, fileError("", err)
		}
		return upload{}, unsent(err)
	}
	u, err := url.Parse(answer.URL)
	if err != nil || !s.n.holdsFiles(u) || answer.ID == "" {
		return upload{}, classify(fmt.Errorf("files.getUploadURLExternal: %w", webapi.ErrNonsense))
	}
	content, err := f.Open(ctx)
	if err != nil {
		return upload{}, fileError("", err)
	}
	defer content.Close()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), content)
	if err != nil {
		return upload{}, fileError("the file cannot be uploaded", nil)
	}
	r.ContentLength = f.Size
	r.Header.Set("Content-Type", "application/octet-stream")
	got, err := s.n.media.Do(r) // without the token: the address is the permission
	if err != nil {
		return upload{}, unsent(classify(fmt.Errorf("upload a file: %w", bare(err))))
	}
	_, err = io.Copy(io.Discard, io.LimitReader(got.Body, 1<<16))
	_ = got.Body.Close() // the answer says nothing
	switch {
	case got.StatusCode >= 500 || got.StatusCode == http.StatusTooManyRequests || err != nil:
		return upload{}, unsent(transports.Later(0, fmt.Errorf("upload a file: status %d", got.StatusCode)))
	case got.StatusCode != http.StatusOK:
		return upload{}, fileError("Slack did not take the file", fmt.Errorf("upload a file: status %d", got.StatusCode))
	}
	return upload{ID: answer.ID, Title: f.Name}, nil
}

// completeUpload is the third step, which shows the files in the channel.
func (s *client) completeUpload(ctx context.Context, channel string, m transports.Outgoing, list []upload) error {
	ids, err := json.Marshal(list)
	if err != nil {
		return err
	}
	args := url.Values{"files": {string(ids)}, "channel_id": {channel}}
	if m.Author != nil && s.cred.User == "" { // the name cannot be chosen here
		head := richtext.Text{{Kind: richtext.Bold, Children: richtext.FromPlain(m.Author.Name)}}
		if !m.Text.IsEmpty() {
			head = append(head, richtext.Node{Text: ": "})
		}
		m.Text = append(head, m.Text...)
	}
	if !m.Text.IsEmpty() {
		args.Set("initial_comment", s.markup(m))
	}
	if m.Thread != "" {
		args.Set("thread_ts", string(m.Thread))
	}
	return s.call(ctx, "files.completeUploadExternal", args, nil)
}

// shared finds the message with which a file was shown in a channel; "" where it is not there yet.
func (s *client) shared(ctx context.Context, channel, id string) (ts string, err error) {
	var answer struct {
		File struct {
			Shares map[string]map[string][]struct {
				TS string `json:"ts"`
			} `json:"shares"`
		} `json:"file"`
	}
	if err := s.call(ctx, "files.info", url.Values{"file": {id}, "count": {"0"}, "page": {"0"}}, &answer); err != nil {
		return "", err
	}
	for _, kind := range answer.File.Shares {
		for _, share := range kind[channel] {
			if !stampTime(share.TS).IsZero() {
				return share.TS, nil
			}
		}
	}
	return "", nil
}

// awaitShare waits for a while until files that were completed are shown; "" where they are not.
func (s *client) awaitShare(ctx context.Context, channel, id string) (string, error) {
	for wait, waited := shareFirst, time.Duration(0); waited < shareTime; wait, waited = 2*wait, waited+wait {
		if ts, err := s.shared(ctx, channel, id); err != nil || ts != "" {
			return ts, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", classify(ctx.Err())
		}
	}
	return "", nil
}

// fileError is an error because of a file, with nothing of the message written.
func fileError(text string, err error) error {
	if text == "" {
		var e *transports.Error
		if text = "the file cannot be sent"; errors.As(err, &e) && e.Text != "" {
			text = e.Text
		}
	}
	return transports.Refuse("not-acceptable", text, errors.Join(transports.ErrFile, err))
}

// unsent marks an error from before anything was shown.
func unsent(err error) error {
	var e *transports.Error
	if errors.As(err, &e) && e.Class == transports.Retry {
		marked := *e
		marked.Unsent = true
		return &marked
	}
	return err
}
