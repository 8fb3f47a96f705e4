"""A small file of each text format of catalogs, laid out as the documents of the formats say.

The first event is the same in all: 2001-02-03 04:05:06.5 UTC, 139.5 E, 35.25 N, 10 km deep, M 5.1.
"""

from __future__ import annotations

_JMA = (
    "J2001020313050650 008 351500 024 1393000 020 10  14351V   511   4142TOYAMA GIFU BORDER REG"
    "   12A"
)

TEXTS: dict[str, str] = {
    "usgs-csv": (
        "time,latitude,longitude,depth,mag,magType,nst,gap,dmin,rms,net,id,updated,place,type,"
        "horizontalError,depthError,magError,magNst,status,locationSource,magSource\n"
        "2001-02-03T04:05:06.500Z,35.25,139.5,10,5.1,mw,,,,,us,us1,2017-04-13T21:39:43.499Z,"
        '"Somewhere, Japan",earthquake,,,,,reviewed,us,us\n'
        "2001-02-03T05:00:00.000Z,35,139,,,,,,,,us,us2,,,quarry blast,,,,,,,\n"
    ),
    "fdsn-text": (
        "#EventID | Time | Latitude | Longitude | Depth/km | Author | Catalog | Contributor | "
        "ContributorID | MagType | Magnitude | MagAuthor | EventLocationName\n"
        '7|2001-02-03T04:05:06.500000|35.25|139.5|10.0|us|NEIC|NEIC|7|Mw|5.1|us|5" SE OF TOKYO\n'
        "8|2001-02-03T05:00:00|35|139||us|||8||||\n"
    ),
    "geonet-csv": (
        "publicid,eventtype,origintime,modificationtime,longitude, latitude, magnitude, depth,"
        "magnitudetype,depthtype,evaluationmethod,evaluationstatus,evaluationmode,earthmodel\n"
        "2001p1,earthquake,2001-02-03T04:05:06.500Z,2001-02-04T00:00:00.000Z,139.5,35.25,5.1,10,"
        "MLv,,LOCSAT,confirmed,manual,iasp91\n"
        "2001p2,quarry blast,2001-02-03T05:00:00.000Z,,139,35,,,,,,,,\n"
    ),
    "isc-gem": (
        "# ISC-GEM Global Instrumental Earthquake Catalogue\n#\n# lat and lon are in degrees\n"
        "#         date          ,   lat  ,   lon   ,smajax,sminax,strike,q,  depth, unc ,q,  mw ,"
        " unc,q,s,    mo,fac,mo_auth,mpp,mpr,mrr,mrt,mtp,mtt,str1,dip1,rake1,str2,dip2,rake2,"
        "type,eventid\n"
        "2001-02-03 04:05:06.50 ,  35.250, 139.500 ,   8.6,   6.6, 164.2,B,   10.0,  4.8,C, 5.10,"
        " 0.40,B,p,      ,,,,,,,,,,,,,,,, 16957905\n"
        "1904-04-04 10:26:00.88 ,  41.758,  23.249 ,   8.3,   6.9,  15.2,B,   18.0,  6.1,C, 6.80,"
        " 0.40,B,d,      ,,,,,,,,,,,,,,,, 16957906\n"
    ),
    "pycsep-csv": (
        "lon,lat,mag,time_string,depth,catalog_id,event_id\r\n"
        "139.5,35.25,5.1,2001-02-03T04:05:06.500000,10.0,-1,7\r\n"
        "139.0,35.0,3.0,2001-02-03T05:00:00,9.0,-1,8\r\n"
    ),
    "horus": (
        "Year\tMo\tDa\tHo\tMi\tSe\tLat\tLon\tDepth\tMw\tsigMw\tGeo-Ita\tGeo-CPTI15\t\n"
        + "\t".join(f"{value:23.10f}" for value in (2001, 2, 3, 4, 5, 6.5, 35.25, 139.5, 10, 5.1))
        + "\t        0.2000000000\t*\t*\t\n"
        + "\t".join(f"{value:23.10f}" for value in (2020, 9, 22, 10, 60, 64.29, 41, 14, 6, 1.1))
        + "\t        0.2000000000\t\t*\t\n"
    ),
    "jma-csv": (
        "date,time,long,lat,mag,depth\n"
        "2001-02-03,13:05:06.5,139.5,35.25,5.1,-10\n"
        "2001-02-03,14:00:00,139,35,4.5,0.0\n"
    ),
    "isc-csv": (
        "<HTML><BODY><pre>\nInternational Seismological Centre, see terms, of use\n\n"
        "DATA_TYPE EVENT_CATALOGUE\nISC Bulletin\n"
        "--EVENT--|--------------------ORIGIN (PRIME HYPOCENTRE)---------------|------MAGNITUDES\n"
        "  EVENTID,TYPE,AUTHOR   ,DATE      ,TIME       ,LAT     ,LON      ,DEPTH,DEPFIX,"
        "AUTHOR   ,TYPE  ,MAG \n"
        "  1718417,ke  ,ISC      ,2001-02-03,04:05:06.50, 35.2500, 139.5000, 10.0,      ,"
        "IDC      ,mb    , 4.9,ISC      ,MS    , 5.0,GCMT     ,MW    , 5.1,NIED     ,MW    , 5.2\n"
        "  1718418,km  ,ISC      ,2001-02-03,05:00:00   , 35.0000, 139.0000,     ,TRUE  \n"
        "\nSTOP\n</pre>\n</BODY></HTML>\n"
    ),
    "ncedc": (
        "Date       Time             Lat       Lon  Depth   Mag Magt  Nst Gap  Clo  RMS  SRC   "
        "Event ID\n" + "-" * 94 + "\n"
        "2001/02/03 04:05:06.50  35.2500  139.5000  10.00  5.10   Mw    7 171   20 0.02 NCSN"
        "   -4540462\n"
        "2001/02/03 05:00:00.00  35.0000 -121.0000   8.99               8  86    3 0.04 NCSN"
        "   51193419\n"
    ),
    "scedc": (
        "#YYY/MM/DD HH:mm:SS.ss ET GT MAG  M    LAT     LON      DEPTH Q  EVID      NPH NGRM\n"
        "2001/02/03 04:05:06.50 eq  l 5.10 w    35.250  139.500  10.0 A 10147461    9   75\n"
        "2001/02/03 05:00:00.00 qb  l 0.00 n    34.196 -117.619   9.3 A 10147457   24  236\n"
        "# Number of rows returned: 2\n"
    ),
    "jma": _JMA + "\n" + "J2001020314000000     35       139       10                       \n",
    "hypodd-pha": (
        "#  2001    2    3    4    5    6.500000   35.2500  139.5000  10.000   5.1  0.0   0.0"
        "   0.0       20202331\n"
        "FUR   3.5220  1.0  P\nWET   5.8620  1.0  S\n"
        "# 2001 2 3 5 0 60.0 35.0 139.0 8.0 3.5 0.0 0.0 NaN 20202332\nFUR   3.5220  1.0  P\n"
    ),
    "hypodd-reloc": (
        "        1  35.250000  139.500000    10.000    -1223.5        6.1    -3119.9   3058.4"
        "   2776.3   3928.1 2001  2  3  4  5  6.500  5.1     0     0   184    60 -9.000  0.509"
        "   1\n"
        "        2  35.000000  139.000000     8.000    -1223.5        6.1    -3119.9 ********"
        "   2776.3   3928.1 2001  2  3  5  0  0.000  3.5     0     0   184    60 -9.000  0.509"
        "   1\n"
    ),
    "zmap": (
        "139.5\t35.25\t2001.0910958\t2\t3\t5.1\t10.0\t4\t5\t6.5\n"
        "139.0\t35.0\t2001.0911\t2\t3\tNaN\t8.0\t5\t0\t0.0\n"
    ),
    "csv": (
        "id,time,longitude,latitude,depth,magnitude\n"
        "1,2001-02-03 04:05:06.500,139.5,35.25,10,5.1\n"
        "2,2001-02-03 05:00:00.000,139,35,8,\n"
    ),
}
"""Name of the format -> text of two events."""

HEADERLESS_PYCSEP = ",,,,,0,\n139.5,35.25,5.1,2001-02-03T4:5:6.5,10.0,1,7\n,,,,,2,\n"
OLD_SCEDC = (
    "#YYY/MM/DD HH:mm:SS.ss ET MAG  M    LAT     LON     DEPTH Q  EVID      NPH NGRM\n"
    "2001/02/03 04:05:06.50 le 5.10 w    35.250  139.500  10.0 A 10147461    9   75\n"
)
EHB = (
    "  EVENTID,AUTHOR   ,DATE      ,TIME       ,LAT     ,LON      ,DEPTH,DEPFIX,AUTHOR   ,TYPE  ,"
    "MAG \n  1718417,ISC      ,2001-02-03,04:05:06.50, 35.2500, 139.5000, 10.0,TRUE  ,ISC      ,"
    "MS    , 5.1\nSTOP\n"
)
NINE_COLUMNS = "   139.5    35.25  2001   2   3   5.1   10.0   4   5\n  139 35 2001 2 3 0.0 8 5 0\n"
