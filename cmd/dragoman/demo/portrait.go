package demo

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
)

// portrait draws a face for somebody of the fake Slack server, whose colours depend on the name.
func portrait(name string) []byte {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	seed := h.Sum32()
	back := color.RGBA{uint8(seed)/2 + 100, uint8(seed>>8)/2 + 100, uint8(seed>>16)/2 + 100, 255}
	hair := color.RGBA{uint8(seed>>16) / 2, uint8(seed) / 3, uint8(seed>>8) / 3, 255}
	img := image.NewPaletted(image.Rect(0, 0, 96, 96), color.Palette{back, hair, color.RGBA{240, 205, 175, 255}, color.RGBA{40, 35, 35, 255}})
	for _, c := range []struct{ x, y, radius, paint int }{
		{48, 40, 30, 1}, {48, 102, 36, 1}, {48, 48, 24, 2}, {39, 44, 3, 3}, {57, 44, 3, 3}, {48, 58, 7, 3}, {48, 55, 8, 2},
	} {
		for x := range 96 {
			for y := range 96 {
				if dx, dy := x-c.x, y-c.y; dx*dx+dy*dy <= c.radius*c.radius {
					img.SetColorIndex(x, y, uint8(c.paint))
				}
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // writing to memory does not fail
	}
	return b.Bytes()
}
