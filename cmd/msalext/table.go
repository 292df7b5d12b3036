package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// table is text in columns.
type table struct {
	header []string
	rows   [][]string
	hue    func(row, column int) string // the colour of a cell; nil: none has one
}

const (
	gap      = 2  // between columns
	narrowed = 24 // columns of the terminal that the last column needs to be broken
)

// show prints a table. On a terminal the last column is broken where it doesn't fit;
// elsewhere each row stays a line, for grep.
func (c *command) show(w io.Writer, t table) {
	all := t.rows
	if t.header != nil {
		all = append([][]string{t.header}, t.rows...)
	}
	for _, row := range all {
		for i := range row {
			row[i] = plain(row[i])
		}
	}
	widths := widthsOf(all)
	room := breadth(w) - widths.before()
	for i, row := range all {
		lines := []string{row[len(row)-1]}
		if room >= narrowed {
			lines = broken(lines[0], room)
		}
		c.showRow(w, row, lines, widths, func(column int) string { return t.colour(i-len(all)+len(t.rows), column) })
	}
}

// showRow prints a row whose last cell has several lines.
func (c *command) showRow(w io.Writer, row, lines []string, widths widths, colour func(column int) string) {
	var b strings.Builder
	last := len(row) - 1
	for i, cell := range row[:last] {
		b.WriteString(c.colorOn(w, colour(i), cell))
		b.WriteString(strings.Repeat(" ", widths[i]+gap-utf8.RuneCountInString(cell)))
	}
	for i, line := range lines {
		if i > 0 {
			b.WriteString("\n" + strings.Repeat(" ", widths.before()))
		}
		b.WriteString(c.colorOn(w, colour(last), line))
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
}

// colour is that of a cell; the header's row is -1.
func (t table) colour(row, column int) string {
	switch {
	case row < 0:
		return bold
	case t.hue != nil:
		return t.hue(row, column)
	}
	return ""
}

// widths are those of a table's columns, without the gaps.
type widths []int

func widthsOf(rows [][]string) widths {
	var w widths
	for _, row := range rows {
		w = append(w, make(widths, max(0, len(row)-len(w)))...)
		for i, cell := range row {
			w[i] = max(w[i], utf8.RuneCountInString(cell))
		}
	}
	return w
}

// before is where the last column begins.
func (w widths) before() (columns int) {
	for _, width := range w[:max(0, len(w)-1)] {
		columns += width + gap
	}
	return columns
}

// broken is text in lines of at most width characters, but for words that are longer.
func broken(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		line := &lines[len(lines)-1]
		switch {
		case *line == "":
			*line = word
		case utf8.RuneCountInString(*line)+1+utf8.RuneCountInString(word) <= width:
			*line += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// section is a table after an empty line, where there is something in it.
func (c *command) section(w io.Writer, t table) {
	if len(t.rows) > 0 {
		fmt.Fprintln(w)
		c.show(w, t)
	}
}

// facts prints what is said of one thing, a line each; without a value, none.
func (c *command) facts(w io.Writer, title string, facts [][2]string) {
	fmt.Fprintln(w, c.colorOn(w, bold, plain(title)))
	var t table
	for _, f := range facts {
		if f[1] != "" {
			t.rows = append(t.rows, []string{f[0], f[1]})
		}
	}
	c.show(w, t)
}
