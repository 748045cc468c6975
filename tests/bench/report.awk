# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes a table of tools/bench from lines "SIDE NAME VALUE UNIT", or with plot=1 the same as an SVG
# drawing. A figure is the median of what was measured, but a time (us) the least of it: what else
# the machine does can only add to a time. Every ratio says how many times better winesspi is,
# whatever the unit. Variables: title, package, and the columns beside winesspi: others, which are
# sides, and other_titles, both with commas between them. The drawing has the first two of them.

BEGIN {
    columns = split(others, side_of, ",")
    split(other_titles, title_of, ",")
    for (i = 1; i <= columns; i++) title_by[side_of[i]] = title_of[i]
    tls = package ~ /^tls/
    order = split("full resumed handshakes " \
                  "seal_64 unseal_64 seal_1024 unseal_1024 seal_16384 unseal_16384 " \
                  "sign_1024 verify_1024 export import move blob half_export half_import " \
                  "half_move half_blob half_open_client half_open_server established " \
                  "cost_seal_64 cost_sign_64 cost_seal_1024 cost_sign_1024 cost_seal_16384 " \
                  "cost_sign_16384 threads_arithmetic threads_handshakes threads_seal " \
                  "package_first package package_list", names, " ")
    label["full"] = "client handshakes"
    label["resumed"] = "client handshakes, resumed"
    label["handshakes"] = tls ? "handshakes, both ends" : "handshakes"
    label["seal_64"] = "seal, 64 bytes"
    label["unseal_64"] = "unseal, 64 bytes"
    label["seal_1024"] = "seal, 1 KiB"
    label["unseal_1024"] = "unseal, 1 KiB"
    label["seal_16384"] = "seal, 16 KiB"
    label["unseal_16384"] = "unseal, 16 KiB"
    label["sign_1024"] = "sign, 1 KiB"
    label["verify_1024"] = "verify, 1 KiB"
    label["export"] = "export"
    label["import"] = "import"
    label["move"] = "export and import"
    label["blob"] = "exported context"
    label["half_export"] = "half-open: export"
    label["half_import"] = "half-open: import"
    label["half_move"] = "half-open: both"
    label["half_blob"] = "half-open: exported context"
    label["cost_seal_64"] = "added to seal, 64 bytes"
    label["cost_sign_64"] = "added to sign, 64 bytes"
    label["cost_seal_1024"] = "added to seal, 1 KiB"
    label["cost_sign_1024"] = "added to sign, 1 KiB"
    label["cost_seal_16384"] = "added to seal, 16 KiB"
    label["cost_sign_16384"] = "added to sign, 16 KiB"
    label["threads_arithmetic"] = "two threads: arithmetic"
    label["threads_handshakes"] = "two threads: handshakes"
    label["threads_seal"] = "two threads: seal, 1 KiB"
    label["half_open_client"] = "half-open client"
    label["half_open_server"] = "half-open server"
    label["established"] = "established context"
    label["package_first"] = "load, first package query"
    label["package"] = "package query"
    label["package_list"] = "package list"
    # What is to be reached: so many times what another side has (the first one, unless "against"
    # names it, in the figure that "against_figure" names if it is another), or fewer or more than
    # so many units.
    if (package == "ntlm") {
        least["handshakes"] = 5
        least["seal_64"] = 10
        least["seal_16384"] = 1
        least["sign_1024"] = 5
        least["move"] = 1
        below["blob"] = 1000
        below["established"] = 6144
    }
    if (package == "kerberos") {
        least["handshakes"] = 1; against["handshakes"] = "builtin"
        least["seal_64"] = least["unseal_64"] = 2.5
        least["seal_16384"] = 2.7
        least["unseal_16384"] = 5
        least["sign_1024"] = least["verify_1024"] = 1
        least["move"] = 1
    }
    if (tls) {
        least["seal_16384"] = 0.95; against["seal_16384"] = "raw"
        below["move"] = 5
        below["established"] = 8192
    }
    if (package == "tls-1.2") {
        least["full"] = 1; against["full"] = "builtin"
        # Wine's own resumes nothing.
        least["resumed"] = 3; against["resumed"] = "builtin"; against_figure["resumed"] = "full"
        least["seal_64"] = 2; against["seal_64"] = "builtin"
        split("64 1024 16384", sizes, " ")
        for (i in sizes) {
            least["unseal_" sizes[i]] = 2
            against["unseal_" sizes[i]] = "builtin"
        }
    }
    for (i = 1; i <= order; i++) if (names[i] ~ /^cost_/) below[names[i]] = 5
    above["threads_handshakes"] = 1.9
    above["threads_seal"] = 1.9
}

$3 != "-" { values[$1, $2] = values[$1, $2] " " $3 }
{ units[$2] = $4 }

function median(text,    list, count, i, j, swap) {
    count = split(text, list, " ")
    for (i = 2; i <= count; i++) {
        for (j = i; j > 1 && list[j] + 0 < list[j - 1] + 0; j--) {
            swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap
        }
    }
    if (count % 2) return list[(count + 1) / 2] + 0
    return (list[count / 2] + list[count / 2 + 1]) / 2
}

function fastest(text,    list, count, i, found) {
    count = split(text, list, " ")
    found = list[1] + 0
    for (i = 2; i <= count; i++) if (list[i] + 0 < found) found = list[i] + 0
    return found
}

function figure_of(side, name) {
    return units[name] == "us" ? fastest(values[side, name]) : median(values[side, name])
}

function has(side, name) { return (side, name) in values }

# Of what was measured in turns, the median of the quotients: a machine that changes its speed does
# so for both.
function quotient(own, other,    owns, others, count, list, i) {
    count = split(own, owns, " ")
    if (split(other, others, " ") != count) return median(own) / median(other)
    for (i = 1; i <= count; i++) list = list " " owns[i] / others[i]
    return median(list)
}

# How many times better winesspi is than the other side, in that figure of the other side; 0 if that
# is not known.
function ratio_of(name, side, figure,    own, other) {
    if (!has("winesspi", name) || !has(side, figure)) return 0
    own = values["winesspi", name]
    other = values[side, figure]
    if (median(own) <= 0 || median(other) <= 0) return 0
    return units[name] ~ /\/s$|^times$/ ? quotient(own, other) : quotient(other, own)
}

function ratio(name, side) { return ratio_of(name, side, name) }

# The ratio that is to be reached.
function reached(name) {
    return ratio_of(name, name in against ? against[name] : side_of[1],
                    name in against_figure ? against_figure[name] : name)
}

function number(value) {
    if (value >= 100) return sprintf("%.0f", value)
    return sprintf(value >= 10 ? "%.1f" : "%.2f", value)
}

function shown(side, name) { return has(side, name) ? number(figure_of(side, name)) : "-" }
function shown_ratio(value) { return value ? number(value) : "-" }

function target(name) {
    if (name in least)
        return (name in against ? title_by[against[name]] : "ratio") " " least[name]
    if (name in above) return "> " above[name]
    return name in below ? "< " below[name] : "-"
}

function verdict(name) {
    if (!(name in least) && !(name in below) && !(name in above)) return ""
    if (!has("winesspi", name)) return "unknown"
    if (name in above) return figure_of("winesspi", name) > above[name] ? "reached" : "MISSED"
    if (name in below) return figure_of("winesspi", name) < below[name] ? "reached" : "MISSED"
    if (!reached(name)) return "unknown"
    return reached(name) >= least[name] ? "reached" : "MISSED"
}

function print_row(name, unit, own, targeted, judged,    k) {
    printf "%-27s %-6s %10s", name, unit, own
    for (k = 1; k <= columns; k++) printf " %13s %7s", row[k], row_ratio[k]
    printf "  %-15s %s\n", targeted, judged
}

function print_table(    i, k, name) {
    print title
    for (k = 1; k <= columns; k++) {
        row[k] = title_of[k]
        row_ratio[k] = "ratio"
    }
    print_row("", "unit", "winesspi", "target", "")
    for (i = 1; i <= order; i++) {
        name = names[i]
        if (!(name in units)) continue
        for (k = 1; k <= columns; k++) {
            row[k] = shown(side_of[k], name)
            row_ratio[k] = shown_ratio(ratio(name, side_of[k]))
        }
        print_row(label[name], units[name], shown("winesspi", name), target(name), verdict(name))
    }
    print "Figures are medians, those in us the best of all turns. -: not measured, or not able to."
    print "Ratios: how many times better winesspi is, medians of those of the turns."
    if (tls) print "Targets with a name: so many times what that side has (resumed: its full ones)."
    else if (package == "kerberos") print "Targets with a name: so many times what that side has."
}

# The drawing: one row per figure, a logarithmic axis of ratios.

function clamp(value) { return value < lowest ? lowest : value > highest ? highest : value }

function across(value) {
    return left + width * (log(clamp(value)) - log(lowest)) / (log(highest) - log(lowest))
}

function draw_text(x, y, anchor, size, text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">%s</text>\n",
        x, y, anchor, size, text
}

function draw_bar(y, height, value, colour,    from, to) {
    from = across(value < 1 ? value : 1)
    to = across(value < 1 ? 1 : value)
    printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
        from, y, to - from, height, colour
    draw_text((value < 1 ? from - 4 : to + 4), y + height - 1, (value < 1 ? "end" : "start"), 10,
              number(value) "x")
}

function draw_line(x, top, bottom, colour, thickness) {
    printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" ", x, top, x, bottom
    printf "stroke=\"%s\" stroke-width=\"%d\"/>\n", colour, thickness
}

function draw_axis(bottom,    tick) {
    for (tick = lowest; tick <= highest * 1.01; tick *= 10) {
        draw_line(across(tick), 60, bottom, (tick == 1 ? "#333" : "#ddd"), 1)
        draw_text(across(tick), 56, "middle", 10, tick "x")
    }
}

function draw_row(name, y) {
    draw_text(left - 12, y + 15, "end", 12, label[name])
    if (ratio(name, side_of[1])) draw_bar(y + 2, 10, ratio(name, side_of[1]), "#2b6cb0")
    if (ratio(name, side_of[2])) draw_bar(y + 14, 10, ratio(name, side_of[2]), "#dd8822")
    if (name in least && !(name in against)) draw_line(across(least[name]), y, y + 14, "#c00", 2)
}

function draw(    i, rows, bottom) {
    left = 210; width = 560; lowest = 0.1; highest = 1000; rows = 0
    for (i = 1; i <= order; i++) {
        if (ratio(names[i], side_of[1]) || ratio(names[i], side_of[2])) drawn[++rows] = names[i]
    }
    bottom = 66 + 30 * rows
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"%d\" " \
           "font-family=\"sans-serif\">\n", bottom + 20
    print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    draw_text(16, 22, "start", 14, title)
    draw_text(16, 40, "start", 11, "How many times better winesspi is than " title_of[1] \
              " (blue) and than " title_of[2] " (orange); red: what is to be reached.")
    draw_axis(bottom)
    for (i = 1; i <= rows; i++) draw_row(drawn[i], 66 + 30 * (i - 1))
    print "</svg>"
}

END { if (plot) draw(); else print_table() }
