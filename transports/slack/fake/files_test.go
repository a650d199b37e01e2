package fake_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

func picture(t *testing.T) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 20, 10))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUploadInThreeSteps(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	root := w.ann.Say(w.general, "show me")
	data := picture(t)
	sum, err := w.bot.UploadFileContext(ctx, slack.UploadFileParameters{
		Filename: "Pic 1.png", Title: "A picture", AltTxt: "grey", FileSize: len(data), Reader: bytes.NewReader(data),
		Channel: w.general.ID, InitialComment: "here <@" + w.ann.ID + ">", ThreadTimestamp: root.TS})
	w.ok(err)
	if !w.slack.Await(ctx, func() bool { return len(w.general.Lines()) == 2 }) {
		t.Fatal("not shared")
	}
	info, _, _, err := w.bot.GetFileInfoContext(ctx, sum.ID, 0, 0)
	w.ok(err)
	share := info.Shares.Public[w.general.ID]
	if len(share) != 1 || share[0].ThreadTs != root.TS || info.OriginalW != 20 || info.Mimetype != "image/png" || info.AltTxt != "grey" {
		t.Fatalf("info: %+v", info)
	}
	m := w.general.Message(share[0].Ts)
	if m.Subtype != "file_share" || m.User != w.in.Bot || m.Text != "here <@"+w.ann.ID+">" || len(m.Files) != 1 || m.Files[0].Name() != "Pic 1.png" {
		t.Errorf("share: %+v", m)
	}
	var got bytes.Buffer
	w.ok(w.asAnn.GetFileContext(ctx, info.URLPrivateDownload, &got))
	if !bytes.Equal(got.Bytes(), data) {
		t.Error("other bytes come back")
	}
}

func TestSeveralFilesInOneMessage(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	var files []slack.FileSummary
	for _, text := range []string{"first", "second"} {
		u, err := w.asAnn.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: text + ".txt", FileSize: len(text)})
		w.ok(err)
		w.ok(w.asAnn.UploadToURL(ctx, slack.UploadToURLParameters{UploadURL: u.UploadURL, Reader: strings.NewReader(text), Filename: text + ".txt"}))
		files = append(files, slack.FileSummary{ID: u.FileID, Title: text})
	}
	_, err := w.asAnn.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{Files: files, Channel: w.cellar.ID})
	w.ok(err)
	_, err = w.asAnn.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{Files: files, Channel: w.cellar.ID})
	w.wants(err, "file_not_found")
	if !w.slack.Await(ctx, func() bool { return len(w.cellar.Lines()) == 1 }) {
		t.Fatal("not shared")
	}
	if m := w.cellar.Transcript()[0]; len(m.Files) != 2 || m.Files[0].Name() != "first.txt" {
		t.Errorf("shared: %+v", m)
	}
	_, _, _, err = w.bot.GetFileInfoContext(ctx, files[0].ID, 0, 0)
	w.wants(err, "file_not_found")
	info, _, _, err := w.asAnn.GetFileInfoContext(ctx, files[0].ID, 0, 0)
	w.ok(err)
	if len(info.Shares.Private[w.cellar.ID]) != 1 || info.IsPublic {
		t.Errorf("info: %+v", info)
	}
	var got bytes.Buffer
	if err := w.bot.GetFileContext(ctx, info.URLPrivate, &got); err == nil || !strings.Contains(err.Error(), "sign-in") {
		t.Errorf("a file of a room the bot is not in: %v, %q", err, got.String())
	}
}

func TestUploadOfOtherSize(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	u, err := w.bot.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: "a.txt", FileSize: 3})
	w.ok(err)
	if err := w.bot.UploadToURL(ctx, slack.UploadToURLParameters{UploadURL: u.UploadURL, Content: "four", Filename: "a.txt"}); err == nil {
		t.Error("four bytes are taken for three")
	}
	_, err = w.bot.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: u.FileID}}, Channel: w.general.ID})
	w.wants(err, "file_not_found")
	if err := w.bot.UploadToURL(ctx, slack.UploadToURLParameters{UploadURL: w.slack.URL() + "/upload/v1/none", Content: "x", Filename: "a"}); err == nil {
		t.Error("an upload that nobody asked for")
	}
}

func TestFileOfUser(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	m := w.ann.Share(w.general, "look @bob", fake.Message{}, fake.FileSpec{Name: "Grüße.TXT", Data: []byte("x")})
	reply := w.bob.Share(w.general, "", m, fake.FileSpec{Name: "re.png", Data: picture(t), Alt: "grey"})
	if reply.ThreadTS != m.TS || len(reply.Files) != 1 {
		t.Errorf("reply: %+v", reply)
	}
	h, err := w.bot.GetConversationHistoryContext(deadline(t), &slack.GetConversationHistoryParameters{ChannelID: w.general.ID, Limit: 5})
	w.ok(err)
	f := h.Messages[0].Files[0]
	if f.Name != "Grüße.TXT" || f.Filetype != "txt" || !strings.HasSuffix(f.URLPrivate, "/gr__e.txt") {
		t.Errorf("file: %+v", f)
	}
	var got bytes.Buffer
	w.ok(w.bot.GetFileContext(deadline(t), f.URLPrivate, &got))
	if got.String() != "x" {
		t.Errorf("content: %q", got.String())
	}
}

// A form's field may have any name, and needs no file name: SDKs differ.
func TestUploadAsAFieldOfAForm(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	for _, header := range []string{`form-data; name="body"`, `form-data; name="file"`, `form-data; name="filename"; filename="x.txt"`, `form-data; name="content"; filename=""`} {
		u, err := w.asAnn.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: "x.txt", FileSize: 5})
		w.ok(err)
		body := "--b\r\nContent-Disposition: " + header + "\r\n\r\nhello\r\n--b--\r\n"
		answer, err := http.Post(u.UploadURL, "multipart/form-data; boundary=b", strings.NewReader(body))
		w.ok(err)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", header, answer.Status)
		}
		_, err = w.asAnn.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: u.FileID}}, Channel: w.general.ID})
		w.ok(err)
	}
}

// A reaction needs a name that Slack knows, or the workspace. Another name of the same emoji is the same reaction.
func TestNamesOfReactions(t *testing.T) {
	t.Parallel()
	w := newTestSlack(t)
	ctx := deadline(t)
	m := w.ann.Say(w.general, "hello")
	item := slack.NewRefToMessage(w.general.ID, m.TS)
	for _, name := range []string{"no_such_emoji", "heart::skin-tone-3", "+1::skin-tone-9", "👍", "+1:"} {
		w.wants(w.asAnn.AddReactionContext(ctx, name, item), "invalid_name")
	}
	w.ok(w.asAnn.AddReactionContext(ctx, "thumbsup", item))
	w.wants(w.asAnn.AddReactionContext(ctx, "+1", item), "already_reacted")
	w.ok(w.asAnn.AddReactionContext(ctx, "wave::skin-tone-3", item))
	w.ok(w.asAnn.RemoveReactionContext(ctx, "+1", item))
}
